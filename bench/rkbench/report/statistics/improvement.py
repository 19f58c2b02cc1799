"""How often one solver beats another: the chance that a run of one does better than a run of the other on a task.

A share, averaged over tasks; ties count half (Mann & Whitney 1947, doi 10.1214/aoms/1177730491; as a summary of
benchmarks: Agarwal et al. 2021, arXiv 2108.13264).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rkbench.report.statistics import bootstrap
from rkbench.report.statistics.estimate import NOTHING, Estimate

Runs = Sequence[float] | np.ndarray


def probability_of_improvement(tasks: Sequence[tuple[Runs, Runs]]) -> Estimate:
    """Return the probability that a run of the first costs less than one of the second, and its bootstrap interval.

    Args:
        tasks: costs of the runs of either, by task, in any unit; lower is better, so give scores with a minus. NaN is
            left out, infinity is a failure: two failures tie. A task that lacks runs of either is left out.
    """
    known = [
        tuple(one[~np.isnan(one)] for one in (np.asarray(runs, float) for runs in pair)) for pair in tasks
    ]
    known = [(one, other) for one, other in known if one.size and other.size]
    if not known:
        return NOTHING
    strata = [runs for pair in known for runs in pair]
    middle = float(_share([runs[None] for runs in strata])[0])
    if all(runs.size == 1 for runs in strata):
        return Estimate(middle, math.nan, math.nan)
    size = sum(one.size * other.size for one, other in known)
    return Estimate(middle, *bootstrap.interval(strata, _share, size))


def _share(strata: list[np.ndarray]) -> np.ndarray:
    """Return, for each row, how often the strata of even place lie below those that follow them."""
    shares = [
        (0.5 + 0.5 * np.sign(_beyond(other[:, None, :], one[:, :, None]))).mean(axis=(1, 2))
        for one, other in zip(strata[::2], strata[1::2], strict=True)
    ]
    return np.mean(shares, axis=0)


def _beyond(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return 1 where the first is larger, -1 where it is smaller, 0 at ties, infinite ones included."""
    return (above > below).astype(float) - (above < below)
