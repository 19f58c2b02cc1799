"""Changes in words: how much, from what to what, and by which commit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rkbench.history.commits import Commit
from rkbench.history.judged import Change, Judged
from rkbench.history.series import Series
from rkbench.report import numbers, verdict

CAPTION = (
    "Less is better in every series. Times and memory: levels are medians over commits, and a step between two is claimed "
    "when its p-value, corrected for the commits at which it could have been and by Holm's method for all series, is at most "
    "0.05, and the ratio exceeds 2 % (memory 1 %). The noise is what commits near each other differ by in the series itself, "
    "mixed with that of the other series of the machine; its tails are taken to be heavy, and a part of it to last for several "
    "commits. Intervals are of 95 % and hold that noise, too. A machine that changed is a step like any other: look whether all "
    "its times moved together. All other numbers repeat themselves, and any change is a change, beyond one part in a million, "
    "which is rounding."
)

_SCALES = {
    "time": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "memory": ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "bytes")),
}
_BASES = {"seconds": "time", "s": "time", "bytes": "memory", "B": "memory"}
"""First word of a unit whose numbers are scaled -> which scales."""
_DIGITS = 8
"""Digits of numbers that differ slightly."""
_MANY = 4
"""Times that have to move together before the machine is suspected."""
_SLIGHT = 0.005
"""Share below which a change is told in percent, since a ratio would read 1.00."""


def sentence(judged: Judged, change: Change) -> str:
    """Return what changed, such as ``time_step (rk4 x10): 1.43× [1.31–1.56] the time, from 1.20 ms to 1.72 ms``."""
    series = judged.series
    before = value(series, change.values[0])
    if change.way == "failed":
        return f"{series.label}: fails or takes too long; it was {before}."
    if not 0 < change.ratio.median < math.inf:
        return f"{series.label}: from {before} to {value(series, change.values[1])}{_since(change)}."
    if series.kind == "exact" and abs(change.ratio.median - 1) < _SLIGHT:
        more = "more" if change.way == "worse" else "less"
        share = f"{100 * abs(change.ratio.median - 1):.2g} % {more}"
        ends = [numbers.significant(number, _DIGITS) for number in change.values]
        return f"{series.label}: {share}, from {ends[0]} to {ends[1]} {series.unit}{_since(change)}."
    named = series.kind == "exact"  # its unit is told already
    ends = [(amount if named else value)(series, number) for number in change.values]
    times = f"{verdict.times(change.ratio)} the {_what(series)}"
    return f"{series.label}: {times}, from {ends[0]} to {ends[1]}{_since(change)}."


def together(changes: Sequence[Change], times: int) -> str:
    """Return a remark where most times of a machine, of so many, moved one way at one commit; nothing elsewhere."""
    for way in ("worse", "better"):
        moved = sum(change.way == way for change in changes)
        if moved >= _MANY and moved > times / 2:
            return f"{moved} of {times} times became {way} together: was it the machine? Measure the commit before again."
    return ""


def value(series: Series, number: float) -> str:
    """Return a number of a series with its unit."""
    first, _, rest = series.unit.partition(" ")
    return f"{amount(series, number)} {rest if first in _BASES else series.unit}".rstrip()


def amount(series: Series, number: float) -> str:
    """Return a number of a series alone, times and memory with a unit that suits their size."""
    first = series.unit.partition(" ")[0]
    if first not in _BASES or math.isnan(number):
        return numbers.count(number) if number == round(number, 0) else numbers.significant(number)
    scales = _SCALES[_BASES[first]]
    factor, unit = next((one for one in scales if abs(number) >= one[0]), scales[-1])
    return f"{numbers.significant(number / factor)} {unit}"


def culprit(change: Change, commits: dict[str, Commit]) -> str:
    """Return which commit caused a change, or which ones could have: those that were not measured in between."""
    before, at = commits[change.before], commits[change.at]
    between = at.place - before.place
    if between <= 1:
        return at.name
    others = "the commit" if between == 2 else f"one of the {between - 1:,} commits"
    return f"{at.name}, or {others} between {before.short} and it"


def counts(series: Series) -> str:
    """Return at how many commits a series has a value, and why not at the others."""
    told = [f"{len(series.measured)} of {len(series.points)}"]
    for state in ("failed", "not applicable"):
        missing = sum(point.state == state for point in series.points)
        told += [f"{missing} {state}"] if missing else []
    return ", ".join(told)


def _what(series: Series) -> str:
    if series.kind != "exact":
        return series.kind
    return series.unit or "value"


def _since(change: Change) -> str:
    """Return what became of a step that made a series worse."""
    if change.way == "better":
        return ""
    if not change.standing:
        return "; since repaired"
    known = 0 < change.ratio.median < math.inf
    moved = known and abs(change.now / change.ratio.median - 1) > 1e-3
    return f"; now {numbers.significant(change.now)}×" if moved else ""
