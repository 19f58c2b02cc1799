"""Figures over all of a run: Pareto, profiles, steps along a solve, stability regions; each from what it needs, or not at all."""

import dataclasses

import numpy as np
import pytest
from matplotlib import pyplot
from test_report_example import cell, failed, ok, written

from rkbench.report import load
from rkbench.report.figures import pareto, profiles, stability, steps


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def run(tmp_path, records, **manifest):
    folder = tmp_path / "run"
    folder.mkdir(parents=True)
    results = load(written(folder, records))
    results.manifest.update(manifest)
    return results


def test_the_front_joins_the_solvers_that_no_other_beats_in_both(tmp_path):
    records = [
        ok(cell("euler"), train_seconds=1.0, test_accuracy=0.90, nfe_forward=10),
        ok(cell("rk4"), train_seconds=4.0, test_accuracy=0.95, nfe_forward=40),
        ok(cell("heun2"), train_seconds=5.0, test_accuracy=0.93, nfe_forward=20),
    ]
    (drawing,) = pareto.draw(run(tmp_path, records))
    line = drawing.figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [1.0, 4.0]
    assert list(line.get_ydata()) == pytest.approx([90.0, 95.0])


def test_one_solver_alone_has_no_front(tmp_path):
    assert not list(pareto.draw(run(tmp_path, [ok(cell("euler"))])))


def problems(statuses):
    """Return records of two solvers on three problems, the second twice as slow or failing."""
    fast = [ok(cell("euler", seed=seed), train_seconds=1.0) for seed in range(3)]
    slow = [
        ok(cell("rk4", seed=seed), train_seconds=2.0) if fine else failed(cell("rk4", seed=seed))
        for seed, fine in enumerate(statuses)
    ]
    return fast + slow


def test_a_failure_is_infinitely_slow(tmp_path):
    table = profiles.costs(run(tmp_path, problems((True, False, True))).cells)
    assert table.shape == (3, 2)
    assert table["rk4 ×10"].isna().sum() == 1
    (drawing,) = profiles.draw(run(tmp_path / "again", problems((True, False, True))))
    ends = [line.get_ydata()[-1] for line in drawing.figure.axes[0].lines]
    assert ends == pytest.approx([1.0, 2 / 3])


def test_two_problems_make_no_profile(tmp_path):
    records = [record for record in problems((True, True, True)) if record.seed < 2]
    assert not list(profiles.draw(run(tmp_path, records)))


def test_times_beside_other_cells_are_no_part_of_a_profile(tmp_path):
    records = [dataclasses.replace(record, timing_valid=False) for record in problems((True, True, True))]
    assert profiles.costs(run(tmp_path, records).cells).empty


TRACE = [{"t": 0.0, "h": 0.25, "rejected": 2}, {"t": 0.25, "h": 0.75, "rejected": 0}]


def test_steps_are_drawn_where_they_begin_and_rejections_before_them(tmp_path):
    results = run(tmp_path, [ok(cell("dopri5", steps=None, rtol=1e-3), trace=TRACE)])
    assert list(results.traces["h"]) == [0.25, 0.75]
    (drawing,) = steps.draw(results)
    line, marks = drawing.figure.axes[0].lines
    assert list(line.get_xdata()) == [0.0, 0.25, 1.0]
    assert list(marks.get_xdata()) == [0.0]


def test_equal_steps_have_no_such_figure(tmp_path):
    assert not list(steps.draw(run(tmp_path, [ok(cell("euler"))])))


def test_a_region_is_drawn_for_every_method_that_the_manifest_tells_of(tmp_path):
    told = {
        "euler": {"order": 1, "stages": 1, "stability": [1, 1]},
        "rk4": {"order": 4, "stages": 4, "stability": [1, 1, 0.5, 1 / 6, 1 / 24]},
    }
    results = run(tmp_path, [ok(cell("euler")), ok(cell("rk4"))], methods=told)
    (drawing,) = stability.draw(results)
    assert [axes.get_title("left").split("\n")[0] for axes in drawing.figure.axes] == ["euler", "rk4"]
    euler = drawing.figure.axes[0].collections[1].get_paths()[0].vertices
    assert np.allclose(np.abs(euler[:, 0] + 1 + 1j * euler[:, 1]), 1, atol=0.02)  # |1 + z| = 1


def test_a_run_of_before_tells_no_region(tmp_path):
    results = load(written(tmp_path / "run", [ok(cell("euler"))]))
    results.manifest.pop("methods", None)
    assert not list(stability.draw(results))
