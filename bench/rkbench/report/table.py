"""The one table of a run as text: what each column says, whoever prints it.

A cell is a value and, apart, its interval; terminal, Markdown and page set them each in their own way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from rkbench.report import numbers
from rkbench.report.summary import baseline_solver

Row = dict[str, Any]

CAPTION = (
    "Medians over seeds, with 95 % bootstrap intervals of the median beside or under them; a number alone is "
    "one seed, or seeds that agree to the digits shown. Training time leaves out loading, evaluation and warm-up. "
    "NFE are evaluations of f: in the forward solve of one training step, in the solve of one test batch, and in a "
    "whole training step, forward and backward. Steps are those of the forward solve."
)
UNTIMED = "† ran beside other cells: its times are shown, not compared."


class Cell(NamedTuple):
    """One entry: its text, its interval (perhaps empty), and the number to sort it by (NaN sorts last)."""

    text: str
    interval: str
    key: float | str


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        heading: what it holds, with its unit.
        cell: the entry of a row of the summary.
        group: ``result`` or ``work``; a narrow terminal shows one table of each.
    """

    heading: str
    cell: Callable[[Row], Cell]
    group: str


@dataclass(frozen=True)
class Table:
    """The table of one task: headings, and one row of cells per solver."""

    task: str
    subtitle: str
    columns: tuple[Column, ...]
    rows: list[Row]

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


def tables(summary: pd.DataFrame, baseline: str | None) -> list[Table]:
    """Return the table of every task of a summary."""
    found = []
    for name, task in summary.groupby("task", sort=False):
        columns = _columns(task, baseline_solver(task, baseline))
        rows = [{str(key): value for key, value in row.items()} for row in task.to_dict("records")]
        found.append(Table(str(name), _subtitle(task), tuple(columns), rows))
    return found


def _columns(task: pd.DataFrame, baseline: str | None) -> list[Column]:
    """Return the columns that have something to say; parameters all alike stand in the subtitle."""
    said = [
        (True, "solver", lambda row: Cell(row["solver"], "", row["solver"]), "result"),
        (True, "training time, s", _time, "result"),
        (baseline is not None, f"time ÷ {baseline}", _estimate("time_ratio", numbers.significant), "result"),
        (True, "test accuracy, %", _estimate("test_accuracy", numbers.percent), "result"),
        (True, "training accuracy, %", _estimate("train_accuracy", numbers.percent), "result"),
        (
            task["target"].notna().any(),
            _to_target(task),
            _estimate("seconds_to_target", numbers.seconds),
            "result",
        ),
        (True, "NFE forward solve", _estimate("nfe_forward", numbers.count), "work"),
        (True, "NFE test solve", _estimate("nfe_eval", numbers.count), "work"),
        (True, "NFE training step", _estimate("nfe_step", numbers.count), "work"),
        (True, "steps taken / rejected", _steps, "work"),
        (task["parameters"].nunique() > 1, "parameters", _parameters, "work"),
        (True, "cells", lambda row: Cell(status(row), "", row["n_planned"] - row["n_ok"]), "work"),
    ]
    return [Column(heading, cell, group) for has_news, heading, cell, group in said if has_news]


def _to_target(task: pd.DataFrame) -> str:
    return f"s to {numbers.percent(task['target'].max())} % test"


def _subtitle(task: pd.DataFrame) -> str:
    if task["parameters"].nunique() != 1:
        return ""
    return numbers.counted(int(task["parameters"].max()), "parameter")


def status(row: Row) -> str:
    """Return how the cells of a row ended: ``3 ok``, or ``1 of 3 ok, 2 diverged``."""
    if row["n_ok"] == row["n_planned"]:
        return f"{row['n_ok']} ok"
    others = [part for part in row["statuses"].split(", ") if not part.endswith(" ok")]
    return f"{row['n_ok']} of {row['n_planned']} ok, {', '.join(others)}"


def _estimate(name: str, spell: Callable[[float], str]) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        middle = row[name]
        return Cell(
            spell(middle), numbers.interval(spell, middle, row[f"{name}_low"], row[f"{name}_high"]), middle
        )

    return cell


def _time(row: Row) -> Cell:
    cell = _estimate("train_seconds", numbers.seconds)(row)
    return cell._replace(text=cell.text + " †") if row["n_timed"] < row["n_ok"] else cell


def _steps(row: Row) -> Cell:
    """Return accepted and rejected steps as one entry, such as ``11 / 0.4``."""
    accepted, rejected = (_estimate(name, numbers.count)(row) for name in ("accepted", "rejected"))
    interval = f"{accepted.interval or accepted.text} / {rejected.interval or rejected.text}"
    varies = accepted.interval or rejected.interval
    return Cell(f"{accepted.text} / {rejected.text}", interval if varies else "", accepted.key)


def _parameters(row: Row) -> Cell:
    known = not pd.isna(row["parameters"])
    return Cell(
        f"{row['parameters']:,}" if known else numbers.NONE, "", row["parameters"] if known else math.nan
    )
