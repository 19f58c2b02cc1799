"""How many seeds it takes: pairs needed to find a given difference, from the scatter of those measured so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.special import chdtri, ndtri, stdtrit

from rkbench.report.statistics.estimate import LEVEL
from rkbench.report.statistics.holm import ALPHA, least_pairs

POWER = 0.95
"""Chance of finding a difference that is there, with the pairs recommended."""

MOST_SEEDS = 50
"""More are too many to ask for."""

_EFFICIENCY = (
    3 / math.pi
)  # of Wilcoxon's test where the mean's is best, for normal numbers (Hodges & Lehmann 1956)
_CAUTION = 0.95


def pairs_needed(log_ratios: Sequence[np.ndarray], effect: float, comparisons: int = 1) -> int | None:
    """Return how many pairs find a ratio of ``1 + effect`` with probability `POWER`; None where no scatter is known.

    To find it is to reach the corrected level, and to exceed the resolution: the far end of the interval of as many
    pairs of equal solvers. Normal approximation with Student's quantiles, in logarithms (Lehmann, Nonparametrics, 1975,
    section 4.3). The scatter of a few pairs is itself uncertain and as likely as not too small: its upper confidence
    limit of 95 % is planned with (as Browne 1995 proposes, doi 10.1002/sim.4780141709).

    Args:
        log_ratios: logarithms of paired ratios, one array of shape [pairs] per comparison measured so far, whose
            scatters are pooled; what is not finite is left out.
        effect: relative difference to be found, such as 0.1 for 10 %; positive.
        comparisons: comparisons that will be made at once, over which Holm's correction keeps the level.

    Raises:
        ValueError: the effect is not positive, or there is no comparison.
    """
    if not effect > 0:
        raise ValueError("give a positive effect")
    fewest = least_pairs(comparisons)
    known = [one[np.isfinite(one)] for one in (np.asarray(each, dtype=float) for each in log_ratios)]
    free = sum(one.size - 1 for one in known if one.size > 1)
    if free < 1:
        return None
    scatter = math.sqrt(sum(float(np.sum((one - one.mean()) ** 2)) for one in known if one.size > 1) / free)
    scatter *= math.sqrt(free / float(chdtri(free, _CAUTION)))
    return _grown(fewest, (scatter / math.log1p(effect)) ** 2 / _EFFICIENCY, ALPHA / comparisons)


def _grown(fewest: int, variance: float, alpha: float) -> int:
    """Return the smallest number of pairs, from the fewest on, that is large enough by its own quantiles.

    Args:
        fewest: pairs to start from, at least 2.
        variance: of one pair, in units of the squared effect.
        alpha: level of the test.
    """
    n = max(fewest, int(_distance(math.inf, alpha) ** 2 * variance))
    while n < _distance(n - 1, alpha) ** 2 * variance:
        n += 1
    return n


def _distance(free: float, alpha: float) -> float:
    """Return how many standard errors an effect must measure, by Student's quantiles with degrees of freedom.

    The resolution is half an interval and the size of an error of its own; that the error of the estimate and this size
    stay below k is as probable as that two errors of twice the variance do.
    """
    quantile = ndtri if math.isinf(free) else partial(stdtrit, free)
    level = quantile(1 - alpha / 2) + quantile(POWER)
    resolution = quantile((1 + LEVEL) / 2) + math.sqrt(2) * quantile(math.sqrt(POWER))
    return float(max(level, resolution))
