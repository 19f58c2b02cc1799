"""Many comparisons at once: of all the claims that are made, the chance that even one is false stays at the level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

ALPHA = 0.05
"""The chance of a false claim, over all comparisons of a family."""


def corrected(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return p-values corrected for their number, shape [comparisons]: those at or below `ALPHA` may be claimed.

    Step down (Holm 1979, https://www.jstor.org/stable/4615733): the smallest is multiplied by the number of comparisons,
    the next by one less, and so on; none may become smaller than the one before it, nor larger than 1. NaN is a
    comparison that was not made; it stays NaN and is not counted.
    """
    p = np.asarray(p_values, dtype=float)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    found = np.full(p.shape, math.nan)
    found[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(made.size, 0, -1)))
    return found


def least_pairs(comparisons: int, alpha: float = ALPHA) -> int:
    """Return the number of pairs below which a test of signs can make no claim, whatever was measured.

    The smallest p-value that n pairs can give is 2 / 2^n, when all differ in one direction; among m comparisons it has
    to be alpha / m or less.

    Raises:
        ValueError: there is no comparison, or alpha is not a probability.
    """
    if comparisons < 1 or not 0 < alpha < 1:
        raise ValueError("give at least one comparison and an alpha between 0 and 1")
    n = 1
    while 2.0 ** (1 - n) > alpha / comparisons:
        n += 1
    return n
