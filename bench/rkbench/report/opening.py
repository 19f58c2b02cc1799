"""What a report begins with: what may be said of each solver, task by task, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from rkbench.report import conditions, verdicts
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


@dataclass(frozen=True)
class Said:
    """What a run says on one task.

    Attributes:
        title: the task, or one of its tables.
        verdicts: one per solver.
        findings: other sentences.
    """

    title: str
    verdicts: tuple[Verdict, ...]
    findings: tuple[str, ...] = ()


def of(results: Results, tables: list[Table]) -> list[Said]:
    """Return what a run says: its verdicts by task, then what its tables say in sentences."""
    found = [Said(task, tuple(said)) for task, said in groupby(verdicts.of(results), lambda one: one.task)]
    return found + [Said(one.title, (), one.findings) for one in tables if one.findings]


def notes(results: Results) -> list[str]:
    """Return what the verdicts rest on: what the run can resolve, and under which conditions it was measured."""
    return verdicts.notes(results) + conditions.sentences(results)
