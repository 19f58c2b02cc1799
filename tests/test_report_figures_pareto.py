"""Accuracy against cost: who is on the front, and how points are named."""

import pytest
from matplotlib.colors import to_hex
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report.figures import pareto


def drawn(folder, *records):
    [drawing] = pareto.draw(report.load(written(folder / "run", list(records))))
    return drawing.figure


def trained(method, seconds, accuracy, **given):
    seed = given.pop("seed", 0)
    return ok(cell(method, seed), seconds, accuracy, nfe_forward=seconds, **given)


def front(axes):
    return list(axes.lines[0].get_xdata())


def test_the_front_joins_the_solvers_that_no_other_beats_in_both(tmp_path):
    solvers = [trained("euler", 1.0, 0.90), trained("rk4", 4.0, 0.95), trained("heun2", 5.0, 0.93)]
    line = drawn(tmp_path, *solvers).axes[0].lines[0]
    assert list(line.get_xdata()) == [1, 4]
    assert list(line.get_ydata()) == pytest.approx([90, 95])


def test_one_solver_alone_has_no_front(tmp_path):
    assert not list(pareto.draw(report.load(written(tmp_path / "run", [trained("euler", 1.0, 0.9)]))))


def test_more_solvers_than_a_legend_holds_are_grey_and_counted(tmp_path):
    records = [trained(f"m{n:02}", 1.0 + n, 0.9 + 0.001 * n) for n in range(33)]
    [drawing] = pareto.draw(report.load(written(tmp_path / "run", records)))
    assert "Grey: 3 further solvers." in drawing.caption
    assert [len(line.get_xdata()) for line in drawing.figure.axes[0].lines if line.get_marker() == "."] == [3]


def test_a_solver_with_a_cell_that_failed_is_hollow_and_off_the_front(tmp_path):
    weak = [trained("euler", 1.0, 0.97), failed(cell("euler", seed=1))]
    time, nfe = drawn(tmp_path, *weak, trained("rk4", 4.0, 0.95)).axes
    assert front(time) == front(nfe) == [4.0]
    assert time.lines[1].get_markerfacecolor() == "none"
    assert time.lines[2].get_markerfacecolor() != "none"


def test_a_cell_not_run_yet_is_no_failure(tmp_path):
    plan = [cell("euler"), cell("euler", seed=1), cell("rk4")]
    run = written(tmp_path / "run", [trained("euler", 1.0, 0.9), trained("rk4", 4.0, 0.95)], plan)
    [drawing] = pareto.draw(report.load(run))
    assert front(drawing.figure.axes[0]) == [1.0, 4.0]


def test_a_time_taken_beside_other_cells_is_not_drawn_but_its_evaluations_are(tmp_path):
    time, nfe = drawn(
        tmp_path,
        trained("euler", 1.0, 0.9, timing_valid=False),
        trained("rk4", 4.0, 0.95),
        trained("heun2", 2.0, 0.92),
    ).axes
    assert (front(time), front(nfe)) == ([2.0, 4.0], [1.0, 2.0, 4.0])


def test_where_all_ran_beside_others_there_are_evaluations_to_draw_and_no_times(tmp_path):
    records = [trained("euler", 1.0, 0.9, timing_valid=False), trained("rk4", 4.0, 0.95, timing_valid=False)]
    time, nfe = drawn(tmp_path, *records).axes
    assert (front(time), front(nfe)) == ([], [1.0, 4.0])


def test_both_intervals_are_drawn(tmp_path):
    records = [trained("euler", 1.0 + 0.1 * s, 0.9 + 0.01 * s, seed=s) for s in range(3)]
    time = drawn(tmp_path, *records, trained("rk4", 4.0, 0.95)).axes[0]
    across, up = (bars.get_segments()[0] for bars in time.collections[:2])
    assert list(across[:, 0]) == pytest.approx([1.0, 1.2])
    assert list(up[:, 1]) == pytest.approx([90, 92])


def test_points_far_apart_have_their_names_beside_them_in_their_color(tmp_path):
    figure = drawn(tmp_path, trained("euler", 1.0, 0.90), trained("rk4", 4.0, 0.95))
    names = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert set(names) == {"euler ×10", "rk4 ×10"}
    assert names["rk4 ×10"] == to_hex(figure.axes[0].lines[2].get_color(), keep_alpha=False).upper()
    assert not figure.legends


@pytest.mark.parametrize("crowd", [7, 8])
def test_points_too_near_or_too_many_for_names_have_a_legend(tmp_path, crowd):
    near = [trained(f"m{n}", 10 + 0.001 * n, 0.9 + 1e-5 * n) for n in range(crowd)]
    figure = drawn(tmp_path, *near, trained("far", 100.0, 0.99))
    assert not [text for axes in figure.axes for text in axes.texts]
    assert len(figure.legends) == 1


def test_perfect_accuracy_can_be_drawn(tmp_path):
    low, high = drawn(tmp_path, trained("euler", 1.0, 1.0), trained("rk4", 4.0, 1.0)).axes[0].get_ylim()
    assert low < high == 100
