"""Numbers that repeat themselves, such as evaluations of f or an error at a seed: any change is a change."""

from __future__ import annotations

import math
from itertools import pairwise

from rkbench.history.judged import BANDS, Change, Judged, failure
from rkbench.history.series import Series
from rkbench.report.statistics import Estimate


def judge(series: Series) -> Judged:
    """Return a series with every change; one of times or memory about zero is shown and not judged."""
    values = [point.value for point in series.measured]
    comparable = series.kind == "exact"
    cuts = [at for at, (one, other) in enumerate(pairwise(values), 1) if comparable and _differ(one, other)]
    edges = [0, *cuts, len(values)] if values else []
    levels = tuple((start, stop, values[start]) for start, stop in pairwise(edges))
    changes = [_change(series, levels, place) for place in range(len(cuts))]
    return Judged(series, None, levels, (*changes, *failure(series)), 1.0 if comparable else math.nan)


def _change(series: Series, levels: tuple[tuple[int, int, float], ...], place: int) -> Change:
    """Return the change from one level to the next."""
    known = series.measured
    (_, stop, before), (start, _, after) = levels[place : place + 2]
    returned = any(value <= before or not _differ(before, value) for _, _, value in levels[place + 1 :])
    return Change(
        way="worse" if after > before else "better",
        before=known[stop - 1].commit,
        at=known[start].commit,
        values=(before, after),
        ratio=Estimate(_ratio(after, before), math.nan, math.nan),
        p=math.nan,
        standing=not (after > before and returned),
        now=_ratio(levels[-1][2], before),
    )


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > (BANDS["exact"] - 1) * max(abs(one), abs(other))


def _ratio(after: float, before: float) -> float:
    return after / before if before else math.copysign(math.inf, after) if after else 1.0
