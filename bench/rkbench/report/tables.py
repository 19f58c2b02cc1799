"""All tables of a run: each kind of experiment has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkbench.report import (
    across_table,
    extent,
    flow_table,
    gradient_table,
    overview,
    precision_table,
    signal_table,
    training_table,
)
from rkbench.report.answers import cost_table
from rkbench.report.once import once
from rkbench.report.table import Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

UNTIMED = "† ran beside other cells: its times are shown, not compared."

_KINDS = (training_table.tables, precision_table.tables, gradient_table.tables, signal_table.tables)


@once
def of(results: Results) -> list[Table]:
    """Return the tables of a run: of its training tasks, then its initial value problems, gradients and signals.

    Those of the suite's questions and those across the training tasks of a dataset come before. Where there are more than
    a reader can see, those over all tasks come instead, and the others are cut.
    """
    asked = cost_table.tables(results)
    found = [table for kind in _KINDS for table in kind(results)]
    if extent.large(found):
        return [*asked, *overview.tables(results, found), *extent.cut(found)]
    return [*asked, *across_table.tables(results), *found, *flow_table.tables(results)]


def captions(tables: list[Table]) -> list[str]:
    """Return how to read the tables, each thing once."""
    return list(dict.fromkeys([one.caption for one in tables] + [UNTIMED for one in tables if one.untimed]))
