"""A solver looks alike in every figure, and different from every other."""

from itertools import product

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import report
from rkbench.report import appearance, figures


def drawn(run):
    return {drawing.name: drawing.figure for drawing in figures.draw(report.load(run))}


def test_twenty_eight_solvers_all_look_different():
    found = appearance.of(f"method_{n}" for n in range(28))
    assert len(set(found.values())) == 28


def test_a_solver_has_one_color_in_every_figure(tmp_path):
    color = appearance.of(["euler ×10", "rk4 ×10", "dopri5 @ 1e-3"])["rk4 ×10"].color
    for figure in drawn(three_solvers(tmp_path / "run")).values():
        axes = figure.axes[0]
        used = {line.get_color() for line in axes.lines} | {
            line.get_color() for legend in figure.legends for line in legend.get_lines()
        }
        assert color in used


def test_the_loss_is_logarithmic_and_times_only_where_they_spread(tmp_path):
    far, near = (
        drawn(three_solvers(tmp_path / "far")),
        drawn(written(tmp_path / "near", [ok(cell()), ok(cell("rk4"), 4.0)])),
    )
    assert far["loss"].axes[0].get_yscale() == "log"
    assert (far["time"].axes[0].get_xscale(), near["time"].axes[0].get_xscale()) == ("log", "linear")
    assert near["time"].axes[0].get_xlim()[0] == 0


def test_a_failed_solver_keeps_its_place_and_says_why(tmp_path):
    time = drawn(written(tmp_path / "run", [ok(cell("euler")), failed(cell("rk4"))]))["time"].axes[0]
    assert [label.get_text() for label in time.get_yticklabels()] == ["euler ×10", "rk4 ×10"]
    assert "1 of 1 diverged" in [text.get_text() for text in time.texts]


def test_every_task_has_its_panels(tmp_path):
    pairs = product(("first", "second"), ("euler", "rk4"))
    run = written(tmp_path / "run", [ok(cell(method, task=task)) for task, method in pairs])
    figures = drawn(run)
    assert [axes.get_title(loc="left") for axes in figures["loss"].axes] == [
        "first",
        "first",
        "second",
        "second",
    ]
    assert [axes.get_title(loc="left") for axes in figures["time"].axes] == ["first", "second"]


def test_the_target_is_drawn_where_the_task_has_one(tmp_path):
    accuracy = drawn(three_solvers(tmp_path / "run"))["accuracy"].axes[0]
    assert [text.get_text() for text in accuracy.texts] == ["target 94.00 %"]


@pytest.mark.parametrize(
    ("name", "shown"), [("_mine", " _mine"), ("$x$", r"\$x\$"), ("a" * 40, "a" * 17 + "…" + "a" * 17)]
)
def test_names_are_safe_in_legends(name, shown):
    assert appearance.names([name]) == {name: shown}


ALIKE = [f"{'a' * 20}{letter}{'z' * 20}" for letter in "xyz"]
"""Too long for a figure, and alike but for their middle."""


def test_names_that_would_be_cut_to_the_same_are_cut_less_and_others_not():
    found = appearance.names([*ALIKE, "b" * 41])
    assert [found.pop("b" * 41), *found.values()] == [
        f"{'b' * 17}…{'b' * 17}",
        *(f"{'a' * 20}{letter}{'z' * 20}" for letter in "xyz"),
    ]


def test_names_stay_apart_that_differ_where_they_are_cut_less_and_where_they_are_not():
    ends = [f"{'a' * 18}{letter}{'m' * 60}{letter}{'z' * 18}" for letter in "xy"]
    found = appearance.names(ends)
    assert sorted(found.values()) == [f"{'a' * 18}{letter}…{letter}{'z' * 18}" for letter in "xy"]


def labelled(figure) -> list[list[str]]:
    """Return the names in each legend and beside each panel."""
    legends = [[text.get_text() for text in legend.get_texts()] for legend in figure.legends]
    beside = [[text.get_text() for text in axes.get_yticklabels()] for axes in figure.axes]
    return legends + [names for names in beside if any("a" * 15 in name for name in names)]


def test_solvers_of_long_names_have_names_of_their_own_in_every_figure(tmp_path):
    run = written(tmp_path / "run", [ok(cell(name, seed)) for name in ALIKE for seed in range(3)])
    named = {title: labelled(figure) for title, figure in drawn(run).items()}
    assert {"loss", "accuracy", "time", "nfe", "profiles_training"} <= named.keys()
    for names in [one for every in named.values() for one in every]:
        assert len(set(names)) == len(names) == 3
