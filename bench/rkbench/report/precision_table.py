"""The table of an initial value problem: what each method costs at equal error, one row per ladder of solvers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import numbers, precision
from rkbench.report.summary import baseline_solver
from rkbench.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

LEVELS = (1e-3, 1e-6, 1e-9)
"""Errors at which costs are compared, fixed before any run."""

CAPTION = (
    "NFE (evaluations of f) and time of one solve at equal error: the error at the end of the problem, relative to the "
    "largest component of the reference answer or 1. Between two tolerances, or numbers of equal steps, the cost is "
    "interpolated in logarithms; ≤: already the coarsest solver measured is that accurate; –: none measured is. "
    "Medians over seeds."
)


def tables(results: Results) -> list[Table]:
    """Return the table of every initial value problem of a run."""
    chosen = precision.cells(results.cells)
    rungs = precision.rungs(chosen)
    return [
        Table(
            str(name),
            "",
            _COLUMNS,
            _rows(task, rungs[rungs["task"] == name]),
            CAPTION,
            baseline=_baseline(task, results.baseline),
        )
        for name, task in chosen.groupby("task", sort=False)
    ]


def _baseline(task: pd.DataFrame, method: str | None) -> str:
    """Return the ladder of the baseline; empty where the task lacks it."""
    solver = baseline_solver(task, method)
    return "" if solver is None else str(task.loc[task["solver"] == solver, "ladder"].iloc[0])


def _rows(task: pd.DataFrame, rungs: pd.DataFrame) -> list[Row]:
    return [
        _row(str(name), cells, rungs[rungs["ladder"] == name])
        for name, cells in task.groupby("ladder", sort=False)
    ]


def _row(name: str, cells: pd.DataFrame, ladder: pd.DataFrame) -> Row:
    ok = cells["status"] == CellStatus.OK
    row: Row = {"ladder": name, "n_planned": len(cells), "n_ok": int(ok.sum())}
    row |= {"n_timed": int((ok & cells["timing_valid"]).sum()), "error": ladder["error"].min()}
    row["lost"] = ", ".join(
        f"{count} {status}" for status, count in cells.loc[~ok, "status"].value_counts(sort=False).items()
    )
    for column in ("nfe", "seconds"):
        row |= {_key(column, level): precision.cost(ladder, level, column) for level in LEVELS}
    row["coarsest"] = math.nan if ladder.empty else ladder["error"].iloc[0]
    return row


def _key(column: str, level: float) -> str:
    return f"{column} {level:.0e}"


def _cost(column: str, level: float, spell: Callable[[float], str]) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        value = row[_key(column, level)]
        bound = "≤ " if row["coarsest"] <= level else ""
        untimed = " †" if column == "seconds" and row["n_timed"] < row["n_ok"] and value == value else ""
        return Cell(bound + spell(value) + untimed, "", value)

    return cell


def _status(row: Row) -> Cell:
    said = (
        f"{row['n_ok']} ok" if not row["lost"] else f"{row['n_ok']} of {row['n_planned']} ok, {row['lost']}"
    )
    return Cell(said, "", row["n_planned"] - row["n_ok"])


def _whole(value: float) -> str:
    return numbers.NONE if math.isnan(value) else f"{value:,.0f}"


def _milliseconds(value: float) -> str:
    return numbers.significant(1000 * value)


def _columns() -> tuple[Column, ...]:
    nfe = [
        Column(f"NFE to {_level(one)}", _NFE.format(_level(one)), _cost("nfe", one, _whole), "result")
        for one in LEVELS
    ]
    time = [
        Column(
            f"ms to {_level(one)}", _TIME.format(_level(one)), _cost("seconds", one, _milliseconds), "result"
        )
        for one in LEVELS
    ]
    return (
        Column("solver", _SOLVER, lambda row: Cell(row["ladder"], "", row["ladder"]), "result"),
        *nfe,
        *time,
        Column(
            "smallest error", _ERROR, lambda row: Cell(numbers.error(row["error"]), "", row["error"]), "work"
        ),
        Column("cells", _CELLS, _status, "work"),
    )


_SOLVER = "A method with all the tolerances, or numbers of equal steps, that it was run with."
_NFE = "Evaluations of f in one solve whose error at the end is {}; median over seeds."
_TIME = "Time of one solve whose error at the end is {}, in milliseconds; median over seeds."
_ERROR = (
    "The smallest error at the end that any of its settings reached, relative to the largest component of the reference "
    "answer or 1; no unit."
)
_CELLS = "How many of the planned cells, one per setting and seed, ended well, and how the others did."


def _level(value: float) -> str:
    return f"1e{round(math.log10(value))}"


_COLUMNS = _columns()
