"""What is to be said of a history, commit by commit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rkbench.history import words
from rkbench.history.commits import Commit
from rkbench.history.judged import Change, Judged

_Key = tuple[str, str, str, str]
"""Machine, environment, commit before and commit at which something changed."""


@dataclass(frozen=True)
class Finding:
    """One change of one series."""

    judged: Judged
    change: Change


@dataclass(frozen=True)
class Told:
    """What one commit changed on one machine.

    Attributes:
        culprit: the commit, or those that it could have been.
        day: of the commit.
        place: machine and environment.
        findings: what stands worse first, then by how much.
        commit: whose place in the history decides the order.
        remark: a sentence where most times of the machine moved together, which may be the machine's doing; else empty.
    """

    culprit: str
    day: str
    place: tuple[str, str]
    findings: list[Finding]
    commit: Commit
    remark: str

    @property
    def standing(self) -> bool:
        """Whether something is worse since, and was not repaired."""
        return any(one.change.standing and one.change.way != "better" for one in self.findings)


def of(judged: Sequence[Judged], commits: Sequence[Commit]) -> list[Told]:
    """Return what changed: commits whose harm stands first, then the latest first."""
    known = {commit.hash: commit for commit in commits}
    groups: dict[_Key, list[Finding]] = {}
    for one in judged:
        for change in one.changes:
            key = (one.series.machine, one.series.environment, change.before, change.at)
            groups.setdefault(key, []).append(Finding(one, change))
    found = [_told(key, findings, known, judged) for key, findings in groups.items()]
    return sorted(found, key=lambda one: (not one.standing, -one.commit.place))


def _told(key: _Key, findings: list[Finding], known: dict[str, Commit], judged: Sequence[Judged]) -> Told:
    machine, environment, _, at = key
    moved = [one.change for one in findings if one.judged.series.kind == "time"]
    return Told(
        culprit=words.culprit(findings[0].change, known),
        day=known[at].day,
        place=(machine, environment),
        findings=sorted(findings, key=_urgency),
        commit=known[at],
        remark=words.together(moved, _times(judged, machine, environment)),
    )


def _times(judged: Sequence[Judged], *place: str) -> int:
    """Return how many series of times a machine has that could have moved."""
    own = [one.series for one in judged if (one.series.machine, one.series.environment) == place]
    return sum(series.kind == "time" and len(series.measured) > 1 for series in own)


def _urgency(finding: Finding) -> tuple[bool, bool, float]:
    change = finding.change
    harm = change.way != "better"
    ratio = change.ratio.median
    size = abs(math.log(ratio)) if 0 < ratio < math.inf else math.inf
    return not (harm and change.standing), not harm, -size
