"""One number over several tasks and all their runs: the interquartile mean.

The mean of the middle half of all runs of all tasks together. A quarter of the runs may be as bad or as good as they
like without moving it, and unlike the median it uses more than the very middle (Agarwal, Schwarzer, Castro, Courville
& Bellemare 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice, arXiv 2108.13264).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rkbench.report.statistics import bootstrap
from rkbench.report.statistics.estimate import NOTHING, Estimate


def interquartile_mean(tasks: Sequence[Sequence[float] | np.ndarray]) -> Estimate:
    """Return the interquartile mean and its stratified bootstrap interval.

    Args:
        tasks: the runs of each task, made comparable between tasks: ratios to a baseline, shares of a best. NaN is left
            out; infinity is a failure, which counts as the worst as long as no more than a quarter of all runs failed.
    """
    runs = [np.asarray(one, dtype=float) for one in tasks]
    runs = [known for one in runs if (known := one[~np.isnan(one)]).size]
    if not runs:
        return NOTHING
    middle = float(_mean(np.concatenate(runs)[None])[0])
    if all(one.size == 1 for one in runs):
        return Estimate(middle, math.nan, math.nan)
    size = sum(one.size for one in runs)
    return Estimate(
        middle, *bootstrap.interval(runs, lambda drawn: _mean(np.concatenate(drawn, axis=1)), size)
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each row without its lowest and its highest quarter, rounded down to whole runs."""
    cut = values.shape[1] // 4
    ordered = np.sort(values, axis=1)[:, cut : values.shape[1] - cut]
    with np.errstate(invalid="ignore"):
        means = ordered.mean(axis=1)
    return np.where(np.isposinf(ordered[:, -1]), np.inf, means)
