"""Figure 3 of Chen et al.: what other tolerances change and cost, the work on the way back, and the work over epochs."""

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report.figures import tolerance


def look(method, rtol, nfe, changed=0.0):
    """Return a network under a solver; each evaluation takes a millisecond."""
    return {
        "by_method": method, "by_steps": None, "by_rtol": rtol, "accuracy": 0.9, "accuracy_change": 0.0,
        "label_changes": changed, "logit_change": 1 / nfe if rtol != 1e-3 else 0.0, "nfe": nfe, "seconds": nfe / 1000,
    }  # fmt: skip


def trained(method="bosh3", seed=0, task="small_odenet", back=30, **measured):
    """Return a network trained at 1e-3, tested at its own tolerance, a looser one and a tighter one, and tightly."""
    tests = [look(method, 1e-3, 20), look(method, 1e-1, 8, 0.05), look(method, 1e-4, 40, 0.001)]
    tests.append(look("dopri5", 1e-5, 100, 0.002))
    record = ok(
        cell(method, seed, task=task, rtol=1e-3), nfe_forward=20, nfe_backward=back, looks=tests, **measured
    )
    for n, row in enumerate(record.curve):
        row["nfe_forward"] = 20 + n
    return record


def drawings(tmp_path, *records):
    run = written(tmp_path, list(records), data={"digits8": {"test": 10_000, "sha256": "c"}})
    return list(tolerance.draw(report.load(run)))


@pytest.fixture
def panels(tmp_path):
    [drawing] = drawings(tmp_path, trained(), trained(seed=1, back=10))
    return drawing.figure.axes


def points(line):
    return [(round(x, 9), round(y, 9)) for x, y in line.get_xydata()]


def test_its_own_method_at_every_tolerance_is_a_line_from_little_work_to_much(panels):
    assert points(panels[0].lines[0]) == [(8, 5), (20, 0), (40, 0.1)]
    assert panels[0].get_yscale() == "symlog"


def test_the_tolerance_that_it_was_trained_at_is_hollow(panels):
    own = panels[0].lines[1]
    assert (points(own), own.get_markerfacecolor()) == ([(20, 0)], "none")


def test_where_no_answer_changes_the_logits_do(tmp_path):
    record = trained()
    for one in record.looks:
        one["label_changes"] = 0.0
    [drawing] = drawings(tmp_path, record)
    axes = drawing.figure.axes[0]
    assert points(axes.lines[0]) == [(8, 0.125), (40, 0.025)]
    assert axes.get_ylabel() == "largest change of a logit, nats"


def test_time_is_over_the_same_evaluations(panels):
    assert points(panels[1].lines[0]) == [(8, 0.008), (20, 0.02), (40, 0.04)]
    assert panels[1].get_ylabel() == "time of 1,000 test samples, s"


def test_every_cell_is_a_point_of_work_back_against_forward(panels):
    cells, *lines = panels[2].lines
    assert points(cells) == [(20, 30), (20, 10)]
    assert [text.get_text() for text in panels[2].texts] == ["y = x", "y = x/2"]
    for line, slope in zip(lines, (1.0, 0.5), strict=True):
        assert all(y == pytest.approx(slope * x) for x, y in line.get_xydata())


def test_the_forward_work_is_over_epochs(panels):
    assert points(panels[3].lines[0]) == [(1, 20), (2, 21)]


def test_equal_steps_failures_and_a_single_tolerance_are_not_drawn(tmp_path):
    equal = ok(cell("rk4", steps=4), looks=[look("rk4", None, 16), look("dopri5", 1e-5, 100)])
    single = ok(cell("bosh3", rtol=1e-3), looks=[look("bosh3", 1e-3, 20), look("dopri5", 1e-5, 100)])
    assert drawings(tmp_path, equal, single, failed(cell("tsit5", rtol=1e-3))) == []


def test_backprop_that_needs_no_evaluation_on_the_way_back_is_drawn_at_zero(tmp_path):
    [drawing] = drawings(tmp_path, trained(back=0))
    axes = drawing.figure.axes[2]
    assert points(axes.lines[0]) == [(20, 0)]
    assert axes.get_ylim()[0] < 0


def test_each_task_has_a_figure_with_a_file_of_its_own(tmp_path):
    found = drawings(tmp_path, trained(task="net[a=1]"), trained(task="net[a=2]"), trained(task="net[a=1"))
    assert [drawing.name for drawing in found] == [
        "tolerance_net_a_1",
        "tolerance_net_a_2",
        "tolerance_net_a_1_",
    ]


def test_twenty_five_methods_fit_and_more_are_counted(tmp_path):
    [few] = drawings(tmp_path / "few", *(trained(f"m{k}") for k in range(25)))
    assert len(few.figure.legends[0].get_texts()) == 25
    [many] = drawings(tmp_path / "many", *(trained(f"m{k}") for k in range(40)))
    assert "30 of 40 solvers" in many.caption
