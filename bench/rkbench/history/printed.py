"""A history for programs and for the terminal: the verdicts of the page, in the same order."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.text import Text

from rkbench.history import told, words
from rkbench.history.history import History
from rkbench.history.judged import Judged
from rkbench.history.series import Series
from rkbench.history.told import Finding, Told
from rkbench.report import numbers

MARKS = {"worse": "▲", "better": "▼", "failed": "✕"}
_COLORS = {"worse": "red", "better": "green", "failed": "red"}
_MOST = 12
"""Lines about one commit; the page has all."""


def show(history: History, console: Console) -> None:
    """Print what changed, commit by commit, and what was left out."""
    for one in told.of(history.judged, history.commits):
        _show(one, console, several=len(history.facts) > 1)
    console.print(Text(summary(history)))
    for note in history.notes:
        console.print(Text(f"note: {note}", "dim"))


def summary(history: History) -> str:
    """Return the verdict over all series in a sentence."""
    harmed = sum(one.regressed for one in history.judged)
    over = f"{_series(len(history.judged))} over {numbers.counted(len(history.commits), 'commit')}"
    if len(history.commits) == 1:
        return f"{over}: nothing to compare with yet."
    if harmed:
        return f"{over}: {_series(harmed)} {'stands' if harmed == 1 else 'stand'} worse than before, beyond noise."
    return f"{over}: none stands worse than before, beyond noise."


def as_dict(history: History) -> dict[str, Any]:
    """Return the verdicts as JSON takes them; what is infinite or not a number is null."""
    return {
        "folder": str(history.folder),
        "regressed": history.regressed,
        "commits": [
            {"commit": one.hash, "subject": one.subject, "seconds": one.seconds} for one in history.commits
        ],
        "findings": [
            _finding(by, one) for by in told.of(history.judged, history.commits) for one in by.findings
        ],
        "series": [_line(one) for one in history.judged],
        "notes": history.notes,
    }


def _show(by: Told, console: Console, *, several: bool) -> None:
    where = f"  on {by.place[0]}, {by.place[1]}" if several else ""
    console.print(Text(f"{by.culprit}  {by.day}{where}", "bold"))
    if by.remark:
        console.print(Text(f"  {by.remark}", "dim"))
    for one in by.findings[:_MOST]:
        mark = Text(f"  {MARKS[one.change.way]} ", _COLORS[one.change.way])
        console.print(mark + Text(words.sentence(one.judged, one.change)))
    if len(by.findings) > _MOST:
        console.print(Text(f"  and {len(by.findings) - _MOST} more, on the page"))


def _series(count: int) -> str:
    return f"{count:,} series"


def _finding(by: Told, finding: Finding) -> dict[str, Any]:
    series, change = finding.judged.series, finding.change
    return _named(series) | {
        "change": change.way,
        "standing": change.standing,
        "ratio": _number(change.ratio.median),
        "low": _number(change.ratio.low),
        "high": _number(change.ratio.high),
        "value_before": _number(change.values[0]),
        "value_after": _number(change.values[1]),
        "now": _number(change.now),
        "p": _number(change.p),
        "commit": change.at,
        "commit_before": change.before,
        "subject": by.commit.subject,
        "culprit": by.culprit,
        "remark": by.remark,
        "sentence": words.sentence(finding.judged, change),
    }


def _line(judged: Judged) -> dict[str, Any]:
    series = judged.series
    return _named(series) | {
        "regressed": judged.regressed,
        "scatter": judged.noise.scatter if judged.noise else None,
        "resolution": _number(judged.resolution),
        "points": [
            {"commit": point.commit, "state": point.state, "value": _number(point.value)}
            for point in series.points
        ],
    }


def _named(series: Series) -> dict[str, Any]:
    names = ("machine", "environment", "benchmark", "parameters", "unit", "kind")
    return {name: getattr(series, name) for name in names}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
