"""What one thing is against another, pair by pair: a middle ratio or difference, and its interval.

Whatever a seed does to both of its cells cancels. The estimate is the median of the averages of two pairs, each pair
with itself included (Hodges & Lehmann 1963, doi 10.1214/aoms/1177704172): it uses more of few pairs than their median
does, and a pair that was disturbed does not carry it away. The interval holds every shift that Wilcoxon's signed-rank
test, as `permutation.wilcoxon` makes it, does not reject (Hollander, Wolfe & Chicken, Nonparametric Statistical
Methods, 2014, section 3.4, doi 10.1002/9781119196037). It needs differences that scatter symmetrically, as those of two
times with one law of noise do. Ratios are averaged in logarithms, in which they are differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from rkbench.report.statistics.estimate import LEVEL, NOTHING, Estimate

_EXACT = 100  # pairs, up to which the signed-rank distribution is counted out


def ratio(numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray) -> Estimate:
    """Return the middle of paired ratios and its interval; a pair with a NaN or no positive denominator is left out.

    Both arguments have shape [pairs], are in the same unit and not negative; infinity counts as the largest number.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    usable = ~np.isnan(above) & (below > 0) & ~(np.isinf(above) & np.isinf(below))
    with np.errstate(over="ignore"):  # what is beyond all numbers counts as the largest
        ratios = above[usable] / below[usable]
    return _estimate(ratios, lambda one, other: np.sqrt(one * other))


def difference(minuends: Sequence[float] | np.ndarray, subtrahends: Sequence[float] | np.ndarray) -> Estimate:
    """Return the middle of paired differences and its interval, both arguments as in `ratio`, of any sign."""
    with np.errstate(invalid="ignore"):  # the difference of two infinities is unknown
        differences = np.asarray(minuends, dtype=float) - np.asarray(subtrahends, dtype=float)
    return _estimate(differences[~np.isnan(differences)], lambda one, other: (one + other) / 2)


def _estimate(pairs: np.ndarray, mean: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Estimate:
    """Return the middle of the means of two pairs, and those of them that `_rank` counts from either end."""
    if pairs.size == 0:
        return NOTHING
    rows, columns = np.triu_indices(pairs.size)
    with np.errstate(invalid="ignore", over="ignore"):
        means = mean(pairs[rows], pairs[columns])
        # What the smallest and the largest number have no mean of counts as the largest.
        means = np.sort(np.where(np.isnan(means), np.inf, means))
        low, high = means[(means.size - 1) // 2], means[means.size // 2]
        middle = float(high if np.isinf(high) else mean(low, high))
    if pairs.size == 1:
        return Estimate(middle, math.nan, math.nan)
    k = _rank(pairs.size)
    return Estimate(middle, float(means[k - 1]), float(means[-k]))


@lru_cache(maxsize=1024)
def _rank(n: int) -> int:
    """Return k: the k-th smallest and the k-th largest average bound the interval of n pairs.

    It is the number of values that the signed-rank sum takes in the tail that the level leaves, 1 where not even its
    smallest value lies there.
    """
    tail = (1 - LEVEL) / 2
    if n > _EXACT:
        mean, deviation = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(mean + float(ndtri(tail)) * deviation)
    ways = np.ones(1)
    for signed in range(1, n + 1):
        ways = np.pad(ways, (0, signed)) + np.pad(ways, (signed, 0))
    return max(1, int((np.cumsum(ways) / 2.0**n <= tail).sum()))
