"""Costs at equal error: ladders of solvers, read between their rungs."""

import math

import pandas as pd
import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import appearance, figures, precision, precision_table, tables

LADDER = pd.DataFrame({"error": [1e-2, 1e-4, 1e-8], "nfe": [10, 100, 1000], "seconds": [1.0, 2.0, 8.0]})


def solved(method, error, nfe, **given):
    planned = cell(method, **{"task": "lorenz", "experiment": "solving", "epochs": None} | given)
    empty = dict.fromkeys(
        ("train_seconds", "test_accuracy", "train_accuracy", "nfe_backward", "vjps", "nfe_eval")
    )
    values = empty | {
        "solution_error": error,
        "nfe_forward": nfe,
        "solve_seconds": nfe / 1000,
        "parameters": None,
    }
    return ok(planned, epochs=0, **values)


def example(folder):
    return written(
        folder,
        [
            solved("rk4", 1e-2, 40, steps=10),
            solved("rk4", 1e-6, 400, steps=100),
            solved("dopri5", 1e-3, 60, rtol=1e-3),
            solved("dopri5", 1e-8, 600, rtol=1e-8),
            failed(cell("dopri5", rtol=1e-10, task="lorenz", experiment="solving", epochs=None)),
        ],
    )


@pytest.mark.parametrize(
    ("level", "cost"),
    [
        (1e-2, 10),
        (1e-1, 10),
        (1e-3, math.sqrt(10 * 100)),
        (1e-4, 100),
        (1e-6, math.sqrt(100 * 1000)),
        (1e-8, 1000),
    ],
)
def test_the_cost_of_an_error_is_read_between_rungs_in_logarithms(level, cost):
    assert precision.cost(LADDER, level, "nfe") == pytest.approx(cost)


def test_an_error_that_no_rung_reaches_has_no_cost():
    assert math.isnan(precision.cost(LADDER, 1e-9, "nfe"))
    assert math.isnan(precision.cost(LADDER[:0], 1e-3, "nfe"))


def test_a_ladder_that_turns_back_costs_what_its_first_rung_below_does():
    turning = pd.DataFrame({"error": [1e-1, 1e-5, 1e-3], "nfe": [10, 20, 30]})
    assert precision.cost(turning, 1e-4, "nfe") < 20


def test_an_exact_answer_can_be_drawn(tmp_path):
    run = written(tmp_path / "run", [solved("rk4", 0.0, 40)])
    rungs = precision.rungs(precision.cells(report.load(run).cells))
    assert list(rungs["error"]) == [precision.SMALLEST]


def test_the_table_has_a_row_per_ladder_with_its_failures(tmp_path):
    [table] = tables.of(report.load(example(tmp_path / "run")))
    rows = {cells[0].text: [each.text for each in cells[1:]] for cells in table.cells()}
    assert table.title == "lorenz"
    assert rows["rk4"][:3] == ["71", "400", "–"]
    assert rows["dopri5"][:2] == ["≤ 60", "239"]
    assert rows["dopri5"][-1] == "2 of 3 ok, 1 diverged"
    assert rows["rk4"][-1] == "2 ok"


def test_a_time_taken_beside_other_cells_is_marked(tmp_path):
    record = solved("rk4", 1e-7, 40)
    record.timing_valid = False
    found = tables.of(report.load(written(tmp_path / "run", [record])))
    cells = dict(zip([column.heading for column in found[0].columns], next(found[0].cells()), strict=True))
    assert cells["ms to 1e-6"].text == "≤ 40.0 †"
    assert cells["NFE to 1e-6"].text == "≤ 40"
    assert tables.captions(found) == [precision_table.CAPTION, tables.UNTIMED]


def test_a_run_of_both_kinds_has_both_tables_and_all_figures(tmp_path):
    run = written(
        tmp_path / "run", [ok(cell("rk4")), solved("rk4", 1e-3, 40), solved("rk4", 1e-6, 80, steps=20)]
    )
    results = report.load(run)
    assert [table.title.split(" (")[0] for table in tables.of(results)] == ["digits", "lorenz"]
    names = [drawing.name for drawing in figures.draw(results)]
    assert names == ["loss", "accuracy", "time", "nfe", "precision_nfe", "precision_time"]


def test_the_training_figures_leave_out_what_was_not_trained(tmp_path):
    run = written(tmp_path / "run", [ok(cell("rk4")), solved("dopri5", 1e-3, 40, rtol=1e-3)])
    drawn = {drawing.name: drawing.figure for drawing in figures.draw(report.load(run))}
    assert len(drawn["time"].axes) == 1
    assert [label.get_text() for label in drawn["time"].axes[0].get_yticklabels()] == ["rk4 ×10"]


def test_a_panel_draws_one_line_per_ladder(tmp_path):
    drawn = {drawing.name: drawing.figure for drawing in figures.draw(report.load(example(tmp_path / "run")))}
    [axes] = drawn["precision_nfe"].axes
    assert sorted(len(line.get_xdata()) for line in axes.lines) == [2, 2]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_method_has_one_color_whoever_runs_it_and_an_engine_one_dash():
    found = appearance.of_ladders(["dopri5", "rk4", "dopri5"], ["rkbench", "rkbench", "scipy"])
    assert found["dopri5", "rkbench"].color == found["dopri5", "scipy"].color != found["rk4", "rkbench"].color
    assert (
        found["rk4", "rkbench"].dashes == found["dopri5", "rkbench"].dashes != found["dopri5", "scipy"].dashes
    )


def test_a_run_in_which_every_solve_failed_still_reports(tmp_path):
    lost = failed(cell("dopri5", rtol=1e-3, task="lorenz", experiment="solving", epochs=None))
    run = written(tmp_path / "run", [lost])
    results = report.load(run)
    assert list(figures.draw(results)) == []
    [table] = tables.of(results)
    assert [each.text for each in next(table.cells())][-1] == "0 of 1 ok, 1 diverged"
    assert report.write(run).exists()
