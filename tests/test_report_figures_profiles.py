"""Performance profiles: what a problem is, and what counts as a failure."""

import math

import pytest
from test_report_example import cell, failed, ok, written
from test_report_gradients import road
from test_report_precision import solved

from rkbench import report
from rkbench.report import appearance
from rkbench.report.figures import profiles


def cells(folder, records, plan=None):
    return report.load(written(folder / "run", records, plan)).cells


def trained(method, seed=0, task="digits", seconds=1.0, **given):
    return ok(cell(method, seed, task=task), seconds, **given)


def test_a_cell_not_run_yet_takes_its_problem_out_and_is_no_failure(tmp_path):
    plan = [cell(method, seed) for method in ("euler", "rk4") for seed in range(3)]
    records = [trained("euler", seed) for seed in range(3)] + [trained("rk4", seed) for seed in range(2)]
    table = profiles.costs(cells(tmp_path, records, plan))
    assert table.shape == (2, 2)
    assert table.notna().all(axis=None)


def test_a_failure_is_infinitely_slow(tmp_path):
    records = [trained(m, seed) for m in ("euler", "rk4") for seed in range(2)]
    records += [trained("euler", 2), failed(cell("rk4", 2))]
    results = report.load(written(tmp_path / "run", records))
    assert profiles.costs(results.cells)["rk4 ×10"].isna().sum() == 1
    [drawing] = profiles.draw(results)
    assert [line.get_ydata()[-1] for line in drawing.figure.axes[0].lines] == pytest.approx([1, 2 / 3])


def test_two_problems_make_no_profile(tmp_path):
    records = [trained(m, seed) for m in ("euler", "rk4") for seed in range(2)]
    assert not list(profiles.draw(report.load(written(tmp_path / "run", records))))


def test_times_beside_other_cells_are_no_part_of_a_profile(tmp_path):
    records = [trained(m, seed, timing_valid=False) for m in ("euler", "rk4") for seed in range(3)]
    assert profiles.costs(cells(tmp_path, records)).empty


def test_a_solver_that_was_not_planned_on_every_task_is_left_out(tmp_path):
    records = [trained(m, task=t) for t in ("first", "second") for m in ("euler", "rk4")] + [
        trained("heun2", task="first")
    ]
    table = profiles.costs(cells(tmp_path, records))
    assert list(table) == ["euler ×10", "rk4 ×10"]
    assert len(table) == 2


def test_times_on_two_machines_are_two_problems(tmp_path):
    records = [trained(m, host=h, seed=s) for s, h in enumerate(("mill", "loom")) for m in ("euler", "rk4")]
    records.append(trained("euler", seed=2, host="mill"))
    records.append(trained("rk4", seed=2, host="loom"))
    assert len(profiles.costs(cells(tmp_path, records))) == 2


def test_a_target_that_is_never_reached_is_a_failure(tmp_path):
    records = [
        trained(m, seed, target=0.9, seconds_to_target=1.0 if m == "euler" else None)
        for m in ("euler", "rk4")
        for seed in range(3)
    ]
    [drawing] = profiles.draw(report.load(written(tmp_path / "run", records)))
    time, reached = drawing.figure.axes
    assert [line.get_ydata()[-1] for line in time.lines] == [1, 1]
    assert [line.get_ydata()[-1] for line in reached.lines] == [1, 0]


def test_an_initial_value_problem_is_solved_when_a_ladder_reaches_the_error(tmp_path):
    records = [
        solved(method, error, work, steps=steps, task=task)
        for task in ("lorenz", "kepler", "arenstorf")
        for method, steps, error, work in (
            ("rk4", 10, 1e-2, 40), ("rk4", 100, 1e-7, 400), ("euler", 10, 1e-1, 10), ("euler", 100, 1e-4, 800),
        )
    ]  # fmt: skip
    [drawing] = profiles.draw(report.load(written(tmp_path / "run", records)))
    titles = [axes.get_title(loc="left") for axes in drawing.figure.axes]
    assert titles == ["time to an error of 1e-3", "time to an error of 1e-6"]  # nobody reached 1e-9
    ends = [{line.get_marker(): line.get_ydata()[-1] for line in axes.lines} for axes in drawing.figure.axes]
    euler, rk4 = (appearance.of_ladders(["euler", "rk4"], [""])[name, ""].marker for name in ("euler", "rk4"))
    assert ends == [{euler: 1, rk4: 1}, {euler: 0, rk4: 1}]


def test_roads_to_the_gradient_are_compared_over_solves_and_seeds(tmp_path):
    records = [*road("backprop"), *road("adjoint", pace=2.0)]
    [drawing] = profiles.draw(report.load(written(tmp_path / "run", records)))
    [axes] = drawing.figure.axes
    assert {line.get_ydata()[0] for line in axes.lines} == {0, 1}
    assert "12 problems" in drawing.caption


@pytest.mark.parametrize(
    ("last", "ticks"), [(1.3, [1, 1.2]), (2.5, [1, 1.2, 1.5, 2]), (20, [1, 2, 4, 8, 16])]
)
def test_factors_have_ticks_that_stand_apart(last, ticks):
    assert profiles._ticks(last) == ticks
    assert all(math.log2(b / a) > 0.2 for a, b in zip(ticks, ticks[1:], strict=False))


def test_a_failure_everywhere_makes_no_profile(tmp_path):
    records = [failed(cell(m, seed)) for m in ("euler", "rk4") for seed in range(3)]
    assert not list(profiles.draw(report.load(written(tmp_path / "run", records))))
