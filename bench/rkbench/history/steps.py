"""Steps in a series of noisy numbers: where its level changes, and how sure that is.

A series is cut in two where the medians at both sides differ most surely, then each part again (binary segmentation,
Scott & Knott 1974, doi 10.2307/2529204). The difference of two medians, in units of its standard error, is held against
Student's t. Noise of computers has heavy tails and drifts, so that two cautions are built in:

- a single value has no thinner tails than t with `_TAIL` degrees of freedom, and the median of more of them thinner
  ones in proportion to the values that have to be disturbed to move it;
- part of the variance, `_SHARED`, is common to all commits of a level, and no number of them averages it out.

All places of a series at which a step could be share the chance of a false alarm (Bonferroni), late ones having more of
it, as 1, 1/2, 1/3 … from the latest commit backwards: it is asked about most, and a long series must not make it deaf.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from rkbench.report.statistics import LEVEL, Estimate

_TAIL = 4.0
_SHARED = 0.25
_MEDIAN = math.pi / 2
"""Variance of the median of three or more normal numbers, over that of their mean, at most."""


class Level(NamedTuple):
    """A stretch of a series.

    Attributes:
        start: its first value, by index.
        stop: one after its last value.
        median: of its values.
        variance: of that median.
    """

    start: int
    stop: int
    median: float
    variance: float


def levels(values: np.ndarray, deviations: np.ndarray, freedom: float, alpha: float) -> list[Level]:
    """Return the levels of a series.

    Args:
        values: shape [values].
        deviations: standard deviation of each, shape [values].
        freedom: degrees of freedom of the estimate behind them.
        alpha: share of series without any step that may be given one.
    """
    cuts = [0, *sorted(_cuts(values, deviations, freedom, alpha, 0, values.size)), values.size]
    while True:
        found = between(values, deviations, cuts)
        doubts = [p_value(*pair, freedom, values.size) for pair in pairwise(found)]
        if max(doubts, default=0.0) <= alpha:
            return found
        del cuts[1 + int(np.argmax(doubts))]  # the levels that it parted may show others more surely together


def between(values: np.ndarray, deviations: np.ndarray, cuts: list[int]) -> list[Level]:
    """Return the levels between cuts, the first of which is 0 and the last the number of values."""
    return [
        Level(
            start, stop, float(np.median(values[start:stop])),
            float(np.mean(deviations[start:stop] ** 2)) * float(_shrunk(np.array(stop - start))),
        )
        for start, stop in pairwise(cuts)
    ]  # fmt: skip


def p_value(before: Level, after: Level, freedom: float, values: int) -> float:
    """Return the p-value of a step between two levels, corrected for the places of a series of so many values."""
    z = abs(after.median - before.median) / math.sqrt(before.variance + after.variance)
    tail = float(student.sf(z, _freedom(before, after, freedom)))
    return min(1.0, 2 * tail * float(_places(np.array(after.start), values)))


def step(before: Level, after: Level, freedom: float) -> Estimate:
    """Return the difference of two levels with its interval of 95 %."""
    reach = float(student.ppf((1 + LEVEL) / 2, _freedom(before, after, freedom)))
    reach *= math.sqrt(before.variance + after.variance)
    middle = after.median - before.median
    return Estimate(middle, middle - reach, middle + reach)


def resolution(scatter: float, freedom: float, values: int, alpha: float) -> float:
    """Return the difference from which one more value, after so many of one level, is a step."""
    spread = scatter * math.sqrt(float(_shrunk(np.array(values))) + 1)
    share = alpha / 2 / float(_places(np.array(values), values + 1))
    return float(student.isf(share, min(freedom, _TAIL))) * spread


def _cuts(
    values: np.ndarray, deviations: np.ndarray, freedom: float, alpha: float, start: int, stop: int
) -> Iterator[int]:
    """Yield where the values from start to stop are cut."""
    if stop - start < 2:
        return
    inside, squares = values[start:stop], deviations[start:stop] ** 2
    left = np.arange(1, inside.size)
    right = inside.size - left
    differences = _medians(inside[::-1])[-2::-1] - _medians(inside)[:-1]
    means = np.cumsum(squares)[:-1] / left, np.cumsum(squares[::-1])[-2::-1] / right
    spread = np.sqrt(means[0] * _shrunk(left) + means[1] * _shrunk(right))
    thin = np.minimum(freedom, _TAIL * np.ceil(np.minimum(left, right) / 2))
    found = 2 * student.sf(np.abs(differences) / spread, thin) * _places(start + left, values.size)
    place = int(np.argmin(found))
    if found[place] > alpha:
        return
    cut = start + place + 1
    yield cut
    yield from _cuts(values, deviations, freedom, alpha, start, cut)
    yield from _cuts(values, deviations, freedom, alpha, cut, stop)


def _medians(values: np.ndarray) -> np.ndarray:
    """Return the medians of the first value, of the first two, and so on."""
    known: list[float] = []
    found = []
    for value in values:
        insort(known, value)
        half = len(known) // 2
        found.append(known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2)
    return np.array(found)


def _shrunk(count: np.ndarray) -> np.ndarray:
    """Return the variance of the median of so many values, over that of one."""
    return _SHARED + (1 - _SHARED) * np.where(count > 2, _MEDIAN, 1.0) / count


def _freedom(before: Level, after: Level, freedom: float) -> float:
    fewer = min(before.stop - before.start, after.stop - after.start)
    return min(freedom, _TAIL * math.ceil(fewer / 2))


def _places(cut: np.ndarray, values: int) -> np.ndarray:
    """Return what the p-value of a cut is multiplied by, for a series of so many values."""
    back = values - np.arange(1, values)
    return np.sum(1 / back) * (values - cut)
