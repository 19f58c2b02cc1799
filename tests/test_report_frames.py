"""The tidy DataFrames: every planned cell has its row, and every epoch."""

import json

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

import rkbench
from rkbench.errors import RunError
from rkbench.record import COLUMNS, CURVE_COLUMNS, NESTED


def test_cells_have_the_columns_of_a_record_and_the_solver(tmp_path):
    results = rkbench.load(three_solvers(tmp_path / "run"))
    assert set(results.cells) == set(COLUMNS) - set(NESTED) | {"solver"}
    assert set(results.epochs) == {
        "cell_id",
        "task",
        "solver",
        "method",
        "seed",
        "train_seconds",
        *CURVE_COLUMNS,
    }


def test_a_planned_cell_without_a_record_is_a_skipped_row(tmp_path):
    plan = [cell(seed=0), cell(seed=1)]
    cells = rkbench.load(written(tmp_path / "run", [ok(cell(seed=0))], plan)).cells
    assert list(cells["status"]) == ["ok", "skipped"]
    assert cells["message"].iloc[1] == "not run yet"
    assert cells["solver"].nunique() == 1


def test_a_run_that_has_not_begun_has_frames_of_the_right_types(tmp_path):
    started = rkbench.load(three_solvers(tmp_path / "one"))
    planned = rkbench.load(written(tmp_path / "two", [], [cell()]))
    assert len(planned.epochs) == 0
    assert list(planned.cells.dtypes) == list(started.cells.dtypes)
    assert list(planned.epochs.dtypes) == list(started.epochs.dtypes)


def test_solvers_come_in_the_order_of_the_suite_however_the_plan_is_shuffled(tmp_path):
    suite = {"name": "s", "baseline": "rk4", "solvers": [{"method": ["rk4", "euler"]}, {"method": "dopri5"}]}
    shuffled = [
        cell("dopri5", rtol=1e-6),
        cell("euler"),
        cell("rk4", steps=20),
        cell("rk4", steps=4),
        cell("dopri5", rtol=1e-3),
    ]
    results = rkbench.load(written(tmp_path / "run", [], shuffled, suite=suite))
    assert list(results.cells["solver"]) == [
        "rk4 ×4",
        "rk4 ×20",
        "euler ×10",
        "dopri5 @ 1e-3",
        "dopri5 @ 1e-6",
    ]


def test_training_seconds_of_epochs_add_up_within_a_cell(tmp_path):
    records = [ok(cell(seed=0), seconds=3.0, epochs=3), ok(cell(seed=1), seconds=6.0, epochs=3)]
    epochs = rkbench.load(written(tmp_path / "run", records)).epochs
    assert list(epochs["train_seconds"]) == [1, 2, 3, 2, 4, 6]


def test_a_record_outside_the_plan_is_left_out_and_told(tmp_path):
    results = rkbench.load(
        written(tmp_path / "run", [ok(cell(seed=0)), failed(cell(seed=9))], [cell(seed=0)])
    )
    assert len(results.cells) == 1
    assert "not in the plan" in results.notes[0]


def test_a_manifest_without_a_plan_is_refused_in_one_sentence(tmp_path):
    run = three_solvers(tmp_path / "run")
    (run / "manifest.json").write_text(json.dumps({"suite": {}}))
    with pytest.raises(RunError, match=r"has no plan; .*\.$"):
        rkbench.load(run)
