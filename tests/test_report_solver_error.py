"""What a solver loses stands in the table of the tasks that tell it, and a tight solve where it changes a score."""

import pytest
from test_report_example import cell, ok, written

from rkbench import report
from rkbench.report import training_table


def headings(folder, **measured):
    records = [
        ok(cell(method), score="NLL, nats", test_score=1.5, train_score=1.4, **measured)
        for method in ("euler", "rk4")
    ]
    [table] = training_table.tables(report.load(written(folder, records)))
    return {column.heading: [column.cell(row).text for row in table.rows] for column in table.columns}


def test_a_task_that_tells_has_a_column(tmp_path):
    assert headings(tmp_path, solver_error=0.00125)["solver error"] == ["0.00125", "0.00125"]
    assert "solver error" not in headings(tmp_path / "other")


@pytest.mark.parametrize(("change", "shown"), [(0.0, False), (None, False), (0.25, True)])
def test_a_tight_solve_that_changes_nothing_has_none(tmp_path, change, shown):
    assert (training_table.WORSE in headings(tmp_path, tight_score_change=change)) is shown
