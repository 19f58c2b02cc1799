"""What a report begins with: what may be said of each solver, task by task, and what that rests on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from rkbench.report import conditions, extent, numbers, verdicts
from rkbench.report.results import Results
from rkbench.report.table import Table
from rkbench.report.verdict import Verdict


class Mark(NamedTuple):
    """How a claim is shown: a symbol and words, so that nobody has to tell colors apart."""

    symbol: str
    words: str


MARKS = {
    "faster": Mark("▼", "less time"),
    "slower": Mark("▲", "more time"),
    "same": Mark("=", "same time"),
    "undecided": Mark("?", "undecided"),
    "failed": Mark("✕", "failed"),
}
"""Claim of a verdict → how it is shown."""


WALL = 8
"""Verdicts of one task beyond which they are folded when all of them are undecided."""


@dataclass(frozen=True)
class Said:
    """What a run says on one task.

    Attributes:
        title: the task, or one of its tables.
        verdicts: one per solver.
        findings: other sentences.
        counts: where they are folded, how many verdicts there are of each claim; else empty.
        left_out: how many are not there, in a sentence; empty where all are.
    """

    title: str
    verdicts: tuple[Verdict, ...]
    findings: tuple[str, ...] = ()
    counts: str = ""
    left_out: str = ""


def of(results: Results, tables: list[Table]) -> list[Said]:
    """Return what a run says: its verdicts by task, then what its tables say in sentences."""
    found = [Said(task, tuple(said)) for task, said in groupby(verdicts.of(results), lambda one: one.task)]
    found += [Said(one.title, (), one.findings) for one in tables if one.findings]
    found = [_folded(one) for one in found]
    sizes = [len(one.verdicts) + len(one.findings) for one in found]
    return (
        [_cut(one, extent.share(sizes, extent.SENTENCES)) for one in found]
        if sum(sizes) > extent.SENTENCES
        else found
    )


def _folded(one: Said) -> Said:
    """Return verdicts to be folded where they are many and nothing was decided: a wall of estimates hides what was."""
    undecided = all(verdict.claim == "undecided" for verdict in one.verdicts)
    return replace(one, counts=_counts(one)) if undecided and len(one.verdicts) > WALL else one


def _counts(one: Said) -> str:
    """Return how many verdicts there are of each claim, and how many other sentences."""
    claims = Counter(MARKS[verdict.claim].words for verdict in one.verdicts)
    counts = [f"{claims[mark.words]:,} {mark.words}" for mark in MARKS.values() if claims[mark.words]]
    counts += [numbers.counted(len(one.findings), "sentence")] if one.findings else []
    return ", ".join(counts)


def _cut(one: Said, most: int) -> Said:
    """Return the first verdicts and findings, with how many of each claim there are in all."""
    size = len(one.verdicts) + len(one.findings)
    return Said(
        one.title,
        one.verdicts[:most],
        one.findings[:most],
        _counts(one),
        extent.more(size, min(most, size), "sentences", "`rkbench report --json`"),
    )


def notes(results: Results) -> list[str]:
    """Return what the verdicts rest on: what the run can resolve, and under which conditions it was measured."""
    return extent.few(verdicts.notes(results)) + conditions.sentences(results)
