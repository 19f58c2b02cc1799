"""The words for what may be said of a series: its levels, its changes, and what could have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from rkbench.history.noise import Noise
from rkbench.history.series import Series
from rkbench.report.statistics import Estimate
from rkbench.report.verdict import TIME_BAND

BANDS = {"time": TIME_BAND, "memory": 1.01, "exact": 1 + 1e-6}
"""Ratio that is too small to matter; for exact numbers it is what rounding may do."""

Way = Literal["worse", "better", "failed"]


@dataclass(frozen=True)
class Change:
    """One step of a series.

    Attributes:
        way: worse is more, since all that asv measures is better when less; failed has no value since.
        before: last commit that was measured before, by its hash.
        at: first commit that was measured after, or that failed.
        values: level before and after, in the unit of the series; the latter NaN where it failed.
        ratio: after ÷ before; without an interval for exact numbers.
        p: p-value, corrected for places and series; NaN where nothing is left to chance.
        standing: whether the series has not come back to the level before.
        now: the last level ÷ that before; NaN where it failed.
    """

    way: Way
    before: str
    at: str
    values: tuple[float, float]
    ratio: Estimate
    p: float
    standing: bool
    now: float


@dataclass(frozen=True)
class Judged:
    """A series, and what may be said of it.

    Attributes:
        series: in the order of its commits.
        noise: its scatter; None for exact numbers, and where no ratio can be taken.
        levels: start and stop among its measured points, and the value of the level.
        changes: its steps, the oldest first.
        resolution: smallest ratio that would be claimed at one more commit; 1 for exact numbers, NaN where unknown.
    """

    series: Series
    noise: Noise | None
    levels: tuple[tuple[int, int, float], ...]
    changes: tuple[Change, ...]
    resolution: float

    @property
    def regressed(self) -> bool:
        """Whether the latest commit stands worse than one before it."""
        return any(change.standing and change.way != "better" for change in self.changes)


def failure(series: Series) -> list[Change]:
    """Return the change of a series that has been failing up to its latest commit, but had values before."""
    runs = [(state, list(points)) for state, points in groupby(series.points, lambda point: point.state)]
    known = series.measured
    if not known or runs[-1][0] != "failed":
        return []
    nothing = Estimate(math.nan, math.nan, math.nan)
    values = (known[-1].value, math.nan)
    return [
        Change("failed", known[-1].commit, runs[-1][1][0].commit, values, nothing, math.nan, True, math.nan)
    ]
