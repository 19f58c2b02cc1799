"""How memory grows with the number of steps: which law fits what was measured, and when the numbers cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

LAWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"log N": np.log2, "√N": np.sqrt, "N": np.asarray}
"""The laws of growth, from slow to fast; beside them there is the constant, `CONSTANT`."""
CONSTANT = "1"

FEWEST = 4
"""Different numbers of steps without which nothing is said."""
FLAT = 0.05
"""Relative rise, from the least to the most measured, below which memory is called constant."""
POOREST = 0.1
"""Residual (root mean square) of a law that still fits, as a share of the rise."""
CLOSEST = 0.01
"""Residual below which laws are not told apart, as a share of the rise."""
RIVAL = 2.0
"""A law fits as well as the best one when its residual is no more than so many times as large."""


class Growth(NamedTuple):
    """What was found.

    Attributes:
        laws: names of the laws that fit, the best first; several where the numbers cannot tell, none where nothing
            fits or too little was measured.
        base: what the best law starts from, in the unit of the memory.
        slope: what one more log2 N, √N or N adds, in the same unit.
        low: the smallest slope found with one of the points left out, each in turn.
        high: the largest.
    """

    laws: tuple[str, ...]
    base: float = math.nan
    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def law(self) -> str | None:
        """The law, where the numbers decide on one."""
        return self.laws[0] if len(self.laws) == 1 else None

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Return the memory that the best law gives at numbers of steps, any shape."""
        if not self.laws:
            return np.full(np.shape(steps), math.nan)
        grown = (
            0.0
            if self.laws[0] == CONSTANT
            else self.slope * LAWS[self.laws[0]](np.asarray(steps, dtype=float))
        )
        return self.base + grown + np.zeros(np.shape(steps))


def fit(steps: Sequence[float] | np.ndarray, memory: Sequence[float] | np.ndarray) -> Growth:
    """Return the law of growth, a base and a nonnegative slope by least squares.

    Args:
        steps: numbers of steps N, at least 1; shape [points].
        memory: peak memory at each, in any unit; same shape. A NaN leaves its point out.
    """
    n, m = np.asarray(steps, dtype=float), np.asarray(memory, dtype=float)
    known = ~np.isnan(n) & ~np.isnan(m)
    n, m = n[known], m[known]
    if np.unique(n).size < FEWEST:
        return Growth(())
    rise = float(m.max() - m.min())
    if rise <= FLAT * m.min():
        return Growth((CONSTANT,), float(np.median(m)), 0.0, 0.0, 0.0)
    found = {law: _line(grow(n), m) for law, grow in LAWS.items()}
    best = min(found, key=lambda law: found[law][2])
    base, slope, residual = found[best]
    if slope <= 0 or residual > POOREST * rise:
        return Growth(())
    enough = max(RIVAL * residual, CLOSEST * rise)
    rivals = sorted((law for law in LAWS if found[law][2] <= enough), key=lambda law: found[law][2])
    return Growth(tuple(rivals), base, slope, *_without_one(LAWS[best](n), m))


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return base, nonnegative slope, and the root mean square of what is left."""
    spread = x - x.mean()
    slope = max(0.0, float(spread @ y) / float(spread @ spread))
    base = float(y.mean() - slope * x.mean())
    return base, slope, float(np.sqrt(np.mean((y - base - slope * x) ** 2)))


def _without_one(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    slopes = [_line(np.delete(x, i), np.delete(y, i))[1] for i in range(x.size)]
    return min(slopes), max(slopes)
