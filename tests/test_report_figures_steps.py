"""Steps along a solve: which solves are drawn, and how."""

import pytest
from test_report_example import cell, ok, written

from rkbench import report
from rkbench.report.figures import steps


def drawing(folder, *records):
    [found] = steps.draw(report.load(written(folder / "run", list(records))))
    return found


def traced(method="dopri5", rtol=1e-3, task="digits", rows=((0.0, 0.25, 3), (0.25, 0.75, 0))):
    names = ("t", "h", "rejected")
    return ok(cell(method, rtol=rtol, task=task), trace=[dict(zip(names, row, strict=True)) for row in rows])


def test_each_task_and_method_comes_once_before_one_comes_again(tmp_path):
    solves = [traced(m, r, t) for t in ("a", "b") for m in ("bosh3", "dopri5") for r in (1e-2, 1e-3, 1e-4)]
    found = drawing(tmp_path, *solves)
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in found.figure.axes]
    assert len(titles) == 6
    assert {"a bosh3 @ 1e-2", "a dopri5 @ 1e-2", "b bosh3 @ 1e-2", "b dopri5 @ 1e-2"} < set(titles)
    assert found.caption.endswith(" 6 of 12 solves are shown; traces.parquet has all.")


def test_a_solve_back_in_time_has_positive_sizes(tmp_path):
    line = drawing(tmp_path, traced(rows=((1.0, -0.25, 0), (0.75, -0.75, 0)))).figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [1.0, 0.75, 0.0]
    assert list(line.get_ydata()) == [0.25, 0.75, 0.75]


def test_equal_steps_have_no_such_figure(tmp_path):
    assert not list(steps.draw(report.load(written(tmp_path / "run", [ok(cell("euler"))]))))


def test_rejections_are_marked_where_their_step_begins(tmp_path):
    marks = drawing(tmp_path, traced()).figure.axes[0].lines[1]
    assert (list(marks.get_xdata()), list(marks.get_ydata())) == ([0.0], [0.25])


def test_several_rejections_are_counted_at_their_step(tmp_path):
    texts = [text.get_text() for text in drawing(tmp_path, traced()).figure.axes[0].texts]
    assert texts == ["3", "2 steps, 3 rejected"]


@pytest.mark.parametrize(
    "rows", [((0.0, 1.0, 0),), ((0.0, 0.0, 1), (0.0, 1.0, 0)), ((0.0, 1e-9, 0), (1e-9, 1.0, 0))]
)
def test_one_step_no_step_and_steps_of_all_sizes_can_be_drawn(tmp_path, rows):
    axes = drawing(tmp_path, traced(rows=rows)).figure.axes[0]
    assert axes.get_yscale() == "log"
    assert 0 < axes.get_ylim()[0] < axes.get_ylim()[1]


def test_a_trace_cut_short_says_so(tmp_path):
    rows = [(n / 500, 1 / 500, 0) for n in range(500)]
    assert "the first 500 steps" in drawing(tmp_path, traced(rows=rows)).caption
