"""The table of the flows that a task's networks learnt: how stable they are, and how well conditioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkbench.report import numbers
from rkbench.report.table import Cell, Column, Row, Table, estimate

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

CAPTION = (
    "Flows after training, medians over seeds of the medians over the first 8 test samples, with their intervals. Growth rates "
    "are per unit of the time that f is integrated over: where the rightmost eigenvalue is positive, neighbouring states part "
    "in the end; at no moment do they part faster than the bound."
)


def tables(results: Results) -> list[Table]:
    """Return the table of every training task whose flows were looked into, folded."""
    summary, found = results.summary(), []
    trained = summary[summary["spectral_abscissa"].notna()]
    for name, task in trained.groupby("task", sort=False):
        rows = [{str(key): value for key, value in row.items()} for row in task.to_dict("records")]
        columns = tuple(column for column in _ALL if column is _ALL[0] or _says(column, rows))
        found.append(Table(str(name), "learnt flows", columns, rows, CAPTION, folded=True))
    return found


def _says(column: Column, rows: list[Row]) -> bool:
    return any(column.cell(row).text != numbers.NONE for row in rows)


_ALL = (
    Column(
        "solver",
        "Method and how finely it stepped in training.",
        lambda row: Cell(row["solver"], "", row["solver"]),
        "result",
    ),
    Column(
        "rightmost eigenvalue, 1/time",
        "Largest real part of an eigenvalue of f's Jacobian, at the ends of the ODE blocks (spectral abscissa).",
        estimate("spectral_abscissa", numbers.significant),
        "result",
    ),
    Column(
        "bound of growth, 1/time",
        "Largest eigenvalue of the symmetric part of f's Jacobian there (numerical abscissa).",
        estimate("numerical_abscissa", numbers.significant),
        "result",
    ),
    Column(
        "condition",
        "Condition number of the derivative of the final state by the initial one, in the 2-norm: the largest factor by which "
        "a difference of inputs grows, over the smallest.",
        estimate("condition", numbers.significant),
        "result",
    ),
)
