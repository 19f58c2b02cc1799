"""All tables of a run: each kind of experiment has its own."""

from __future__ import annotations

from rkbench.report import precision_table, training_table
from rkbench.report.results import Results
from rkbench.report.table import Table

UNTIMED = "† ran beside other cells: its times are shown, not compared."

_KINDS = (training_table.tables, precision_table.tables)


def of(results: Results) -> list[Table]:
    """Return the tables of a run: those of its training tasks, then those of its initial value problems."""
    return [table for kind in _KINDS for table in kind(results)]


def captions(tables: list[Table]) -> list[str]:
    """Return how to read the tables, each thing once."""
    return list(dict.fromkeys([one.caption for one in tables] + [UNTIMED for one in tables if one.untimed]))
