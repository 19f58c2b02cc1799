"""Uncertainty of what is averaged over tasks: the runs of every task drawn again from that task's own (stratified).

Percentile bootstrap (Efron 1979, doi 10.1214/aos/1176344552), in strata as Agarwal et al. propose for few runs on many
tasks (2021, arXiv 2108.13264). The tasks are those that were chosen, and not drawn: an interval speaks of other seeds on
the same tasks, never of other tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rkbench.report.statistics.estimate import LEVEL

DRAWS = 2000
_SEED = 20_240_601
_AT_ONCE = 4_000_000  # numbers held in memory


def interval(
    strata: Sequence[np.ndarray], statistic: Callable[[list[np.ndarray]], np.ndarray], size: int
) -> tuple[float, float]:
    """Return the ends of the middle 95 % of a statistic over draws.

    Args:
        strata: numbers drawn among themselves, each of shape [runs], none empty.
        statistic: takes one array per stratum, of shape [draws, runs], and gives shape [draws].
        size: numbers that the statistic holds at once per draw.
    """
    found = np.concatenate([statistic(drawn) for drawn in _draws(strata, size)])
    # An observed value at either end: interpolating towards an infinite one would give NaN.
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), method="inverted_cdf")
    return float(low), float(high)


def _draws(strata: Sequence[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    generator = np.random.default_rng(_SEED)
    chunk = max(1, _AT_ONCE // max(1, size))
    for start in range(0, DRAWS, chunk):
        count = min(chunk, DRAWS - start)
        yield [values[generator.integers(values.size, size=(count, values.size))] for values in strata]
