"""Numbers that scatter, times and memory: steps beyond the noise of their series, over all series together.

Each series has its levels (`steps`), in units of its noise (`noise`). Every step between two has a p-value that is
corrected for the commits at which it could have been, then by Holm's method over all series; a series without a step is
a comparison that found nothing. What is left, and large enough to matter, is claimed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rkbench.history import noise, steps
from rkbench.history.judged import BANDS, Change, Judged, failure
from rkbench.history.noise import Noise
from rkbench.history.series import Series
from rkbench.history.steps import Level
from rkbench.report import statistics
from rkbench.report.statistics import Estimate

_LEAST = 1e-100
"""What is no time and no memory, in any unit; nor is its inverse."""


@dataclass(frozen=True)
class _Fit:
    """A series in logarithms, and its levels.

    Attributes:
        series: as it was read.
        noise: its scatter.
        logs: of the values, shape [values].
        deviations: standard deviation of each: from commit to commit, or of its samples where that is larger.
        levels: between steps.
        p: p-value of each step.
    """

    series: Series
    noise: Noise
    logs: np.ndarray
    deviations: np.ndarray
    levels: list[Level]
    p: list[float]


def holds(series: Series) -> bool:
    """Return whether the values of a series scatter, and have ratios."""
    values = [point.value for point in series.measured]
    return series.kind != "exact" and bool(values) and all(_LEAST < value < 1 / _LEAST for value in values)


def judge(series: list[Series]) -> list[Judged]:
    """Return the series with their steps beyond noise; `holds` is true of all of them."""
    fits = _claimed([_fit(one, found) for one, found in zip(series, _noises(series), strict=True)])
    return [_judged(fit, _resolution(fit, len(fits))) for fit in fits]


def _logs(series: Series) -> np.ndarray:
    return np.log([point.value for point in series.measured])


def _noises(series: list[Series]) -> list[Noise]:
    """Return the noise of every series, those of one kind and machine estimated together."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, one in enumerate(series):
        groups.setdefault((one.machine, one.environment, one.kind), []).append(place)
    found: dict[int, Noise] = {}
    for (_, _, kind), places in groups.items():
        found |= zip(places, noise.estimate([_logs(series[place]) for place in places], kind), strict=True)
    return [found[place] for place in range(len(series))]


def _fit(series: Series, found: Noise) -> _Fit:
    logs = _logs(series)
    deviations = np.maximum(found.scatter, [point.deviation for point in series.measured])
    levels = steps.levels(logs, deviations, found.freedom, statistics.ALPHA)
    p = [steps.p_value(*pair, found.freedom, logs.size) for pair in pairwise(levels)]
    return _Fit(series, found, logs, deviations, levels, p)


def _claimed(fits: list[_Fit]) -> list[_Fit]:
    """Return the fits without the steps that may not be claimed, p-values corrected."""
    corrected = iter(statistics.corrected([p for fit in fits for p in fit.p or [1.0]]).tolist())
    told = [[next(corrected) for _ in fit.p or [1.0]] for fit in fits]
    return [_kept(fit, p[: len(fit.p)]) for fit, p in zip(fits, told, strict=True)]


def _kept(fit: _Fit, corrected: list[float]) -> _Fit:
    band = math.log(BANDS[fit.series.kind])
    chosen = {
        after.start: p
        for (before, after), p in zip(pairwise(fit.levels), corrected, strict=True)
        if p <= statistics.ALPHA and abs(after.median - before.median) > band
    }
    levels = steps.between(fit.logs, fit.deviations, [0, *chosen, fit.logs.size])
    return replace(fit, levels=levels, p=list(chosen.values()))


def _judged(fit: _Fit, resolution: float) -> Judged:
    levels = tuple((level.start, level.stop, math.exp(level.median)) for level in fit.levels)
    changes = [_change(fit, place) for place in range(len(fit.p))]
    return Judged(fit.series, fit.noise, levels, (*changes, *failure(fit.series)), resolution)


def _change(fit: _Fit, place: int) -> Change:
    """Return the step from one level to the next."""
    known, (before, after) = fit.series.measured, fit.levels[place : place + 2]
    shift = steps.step(before, after, fit.noise.freedom)
    later = [steps.step(before, level, fit.noise.freedom) for level in fit.levels[place + 1 :]]
    worse = shift.median > 0
    return Change(
        way="worse" if worse else "better",
        before=known[before.stop - 1].commit,
        at=known[after.start].commit,
        values=(math.exp(before.median), math.exp(after.median)),
        ratio=Estimate(*np.exp(shift).tolist()),
        p=fit.p[place],
        standing=not (worse and any(one.low <= 0 for one in later)),
        now=math.exp(later[-1].median),
    )


def _resolution(fit: _Fit, comparisons: int) -> float:
    """Return the smallest ratio that one commit after those of a series would have to differ by, to be claimed."""
    alpha = statistics.ALPHA / comparisons
    usual = float(np.median(fit.deviations))
    least = steps.resolution(usual, fit.noise.freedom, fit.logs.size, alpha)
    return max(BANDS[fit.series.kind], math.exp(least))
