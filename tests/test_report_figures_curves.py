"""Loss, accuracy and work over epochs and over time."""

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report.figures import curves


def drawn(folder, *records):
    return {
        drawing.name: drawing for drawing in curves.draw(report.load(written(folder / "run", list(records))))
    }


def adapting(method="dopri5", **given):
    record = ok(cell(method, rtol=1e-3), epochs=3, **given)
    for row in record.curve:
        row["nfe_forward"] = 10 * row["epoch"]
    return record


def test_loss_and_accuracy_are_over_epochs_and_over_seconds_on_one_scale(tmp_path):
    figures = drawn(tmp_path, ok(cell("euler"), 2.0), ok(cell("rk4"), 3.0))
    for name in ("loss", "accuracy"):
        epochs, seconds = figures[name].figure.axes
        assert (epochs.get_xlabel(), seconds.get_xlabel()) == ("epoch", "training time, s")
        assert epochs.get_ylim() == seconds.get_ylim()
    assert list(figures["loss"].figure.axes[1].lines[0].get_xdata()) == [1.0, 2.0]


def test_only_work_that_changes_has_a_curve_and_the_rest_a_sentence(tmp_path):
    figures = drawn(tmp_path, ok(cell("euler")), adapting())
    [axes] = figures["nfe_epochs"].figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[10, 20, 30]]
    assert "Those of euler ×10 are the same in every epoch" in figures["nfe_epochs"].caption


def test_constant_work_has_no_figure_but_a_sentence(tmp_path):
    run = written(tmp_path / "run", [ok(cell("euler")), ok(cell("rk4"))])
    results = report.load(run)
    assert "nfe_epochs" not in {drawing.name for drawing in curves.draw(results)}
    assert curves.constant(results) == " They are the same in every epoch."


def test_a_seed_that_failed_ends_in_a_cross(tmp_path):
    lost = failed(cell("rk4"), curve=ok(cell()).curve)
    axes = drawn(tmp_path, ok(cell("euler")), lost)["loss"].figure.axes[0]
    assert [line.get_marker() for line in axes.lines] == ["o", "x"]


@pytest.mark.parametrize("accuracy", [0.0, 0.1, 1.0])
def test_accuracies_that_are_all_alike_can_be_drawn(tmp_path, accuracy):
    axes = drawn(tmp_path, ok(cell("euler"), accuracy=accuracy))["accuracy"].figure.axes[0]
    low, high = axes.get_ylim()
    assert low <= accuracy <= high
    assert low < high


def test_markers_of_many_lines_are_not_all_at_one_epoch(tmp_path):
    records = [ok(cell(f"m{n:02}"), epochs=24) for n in range(12)]
    axes = drawn(tmp_path, *records)["loss"].figure.axes[0]
    assert len({line.get_markevery()[0] for line in axes.lines}) == 4
    assert not axes.collections  # nor are their seeds shaded
