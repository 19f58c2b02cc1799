"""The shape of a table in a report: what each column says, whoever prints it.

A cell is a value and, apart, its interval; terminal, Markdown and page set them each in their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from rkbench.report import numbers

Row = dict[str, Any]


class Cell(NamedTuple):
    """One entry: its text, its interval (perhaps empty), and the number to sort it by (NaN sorts last)."""

    text: str
    interval: str
    key: float | str


def estimate(name: str, spell: Callable[[float], str]) -> Callable[[Row], Cell]:
    """Return what tells a median of the summary and its interval."""

    def cell(row: Row) -> Cell:
        middle = row[name]
        interval = numbers.interval(spell, middle, row[f"{name}_low"], row[f"{name}_high"])
        return Cell(spell(middle), interval, middle)

    return cell


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        heading: what it holds, with its unit.
        doc: what that is, in a sentence with its unit.
        cell: the entry of a row of the summary.
        group: ``result`` or ``work``; a narrow terminal shows one table of each.
    """

    heading: str
    doc: str
    cell: Callable[[Row], Cell]
    group: str


@dataclass(frozen=True)
class Table:
    """The table of one task.

    Attributes:
        task: the task.
        subtitle: what all its solvers share, or which of its tables this is.
        columns: what it shows, that of the names first.
        rows: one per solver, or per ladder of solvers.
        caption: how to read it.
        findings: what it says, in sentences.
        baseline: the name in the row that the others are compared with; empty where none is.
        folded: whether a page shows it on demand only.
        left_out: how many rows are not there, in a sentence; empty where all are.
    """

    task: str
    subtitle: str
    columns: tuple[Column, ...]
    rows: list[Row]
    caption: str
    findings: tuple[str, ...] = ()
    baseline: str = ""
    folded: bool = False
    left_out: str = ""

    @property
    def title(self) -> str:
        """The task, and what all its solvers share."""
        return f"{self.task} ({self.subtitle})" if self.subtitle else self.task

    def cells(self) -> Iterator[list[Cell]]:
        """Yield the cells of each row."""
        for row in self.rows:
            yield [column.cell(row) for column in self.columns]

    @property
    def untimed(self) -> bool:
        """Whether a row shows times that may not be compared."""
        return any(row["n_timed"] < row["n_ok"] for row in self.rows)


def status(row: Row) -> str:
    """Return how the cells of a row ended: ``3 ok``, or ``1 of 3 ok, 2 diverged``."""
    if row["n_ok"] == row["n_planned"]:
        return f"{row['n_ok']} ok"
    others = [part for part in row["statuses"].split(", ") if not part.endswith(" ok")]
    return f"{row['n_ok']} of {row['n_planned']} ok, {', '.join(others)}"
