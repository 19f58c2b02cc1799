"""The median of one group of numbers, with an interval that assumes nothing about their distribution.

The interval lies between two of the numbers, the k-th smallest and the k-th largest: it misses the median of the
distribution only when fewer than k numbers lie on one side of it, which is counted like heads of a coin (Thompson 1936,
doi 10.1214/aoms/1177732502; David & Nagaraja, Order Statistics, 2003, section 7.1, doi 10.1002/0471722162).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import bdtr

from rkbench.report.statistics.estimate import LEVEL, NOTHING, Estimate


def median(values: Sequence[float] | np.ndarray) -> Estimate:
    """Return the median of numbers and its interval; NaN is left out, infinity counts as the largest number.

    With two to five numbers the interval is their range, and with one there is none: see `coverage`.
    """
    known = np.asarray(values, dtype=float)
    known = np.sort(known[~np.isnan(known)])
    if known.size == 0:
        return NOTHING
    middle = _middle(known)
    if known.size == 1:
        return Estimate(middle, math.nan, math.nan)
    k = rank(known.size)
    return Estimate(middle, float(known[k - 1]), float(known[-k]))


def coverage(n: int) -> float:
    """Return the probability that the interval of n numbers holds the median of a continuous distribution.

    It is 0.75 for three numbers, 0.94 for five, and at least `LEVEL` from six on; 0 for one, which has no interval.
    """
    return 1 - 2 * float(bdtr(rank(n) - 1, n, 0.5)) if n > 1 else 0.0


@lru_cache(maxsize=1024)
def rank(n: int) -> int:
    """Return k: of n numbers, the k-th smallest and the k-th largest bound the narrowest interval of the level."""
    inner = (k for k in range((n + 1) // 2, 1, -1) if 1 - 2 * bdtr(k - 1, n, 0.5) >= LEVEL)
    return next(inner, 1)


def _middle(ordered: np.ndarray) -> float:
    low, high = ordered[(ordered.size - 1) // 2], ordered[ordered.size // 2]
    return float(high) if math.isinf(high) else float(low + (high - low) / 2)
