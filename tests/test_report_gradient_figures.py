"""The figures of roads to the gradient: laws named at the ends of their lines, without overlap."""

import math

import pytest
from test_report_gradients import differentiated, loaded, road

from rkbench.report import appearance, figures
from rkbench.report.figures.endlabels import spread

ROADS = ("backprop", "checkpoint", "segments", "binomial", "adjoint", "interpolated")


def drawn(results):
    return {drawing.name: drawing.figure for drawing in figures.draw(results)}


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.9, 0.1], [0.9, 0.1]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.5, 0.52, 0.1], [0.46, 0.56, 0.1]),
        ([0.3, 0.3, 0.3], [0.2, 0.3, 0.4]),
    ],
)
def test_names_move_apart_and_no_farther(places, moved):
    assert spread(places, 0.1) == pytest.approx(moved)


def test_names_too_many_for_the_height_still_keep_their_distance():
    found = sorted(spread([0.01 * (i % 3) for i in range(20)], 0.1))
    assert all(above - below > 0.0999 for below, above in zip(found, found[1:], strict=False))


def test_each_line_is_named_with_its_law(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop"),
        road("segments", memory=lambda n: 1 + n**0.5),
        road("adjoint", memory=lambda n: 2.0),
    )
    [axes] = drawn(results)["gradient_memory"].axes
    assert {text.get_text() for text in axes.texts} == {
        "backprop: O(N·s)",
        "segments: O(√N)",
        "adjoint: O(1)",
    }
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_road_without_a_law_is_named_and_joined(tmp_path):
    results = loaded(tmp_path, [differentiated(steps=n, memory=m) for n, m in ((2, 5.0), (8, 1.0))])
    [axes] = drawn(results)["gradient_memory"].axes
    assert [text.get_text() for text in axes.texts] == ["backprop"]
    assert [len(line.get_xdata()) for line in axes.lines[:2]] == [2, 2]


@pytest.mark.parametrize("alike", [2, 10])
def test_names_do_not_overlap(tmp_path, alike):
    roads = [
        road("adjoint", seeds=(0,), adjoint_rtol=10.0**-i, memory=lambda n, i=i: 2 + 0.01 * i)
        for i in range(alike)
    ]
    figure = drawn(loaded(tmp_path, *roads))["gradient_memory"]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == alike
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(figure.bbox.containsx(box.x1) and figure.bbox.containsy(box.y1) for box in boxes)


def test_methods_and_kinds_of_steps_have_panels_of_their_own(tmp_path):
    results = loaded(tmp_path, road("backprop"), [differentiated(rtol=10.0**-i) for i in (2, 4)])
    titles = [axes.get_title(loc="left") for axes in drawn(results)["gradient_memory"].axes]
    assert titles == ["rk4, equal steps", "rk4, adaptive steps"]
    assert len(drawn(results)["gradient_work"].axes) == 4


def test_roads_are_told_apart_without_color(tmp_path):
    found = appearance.of_roads([f"road {i}" for i in range(12)])
    assert len({(look.dashes, look.marker) for look in found.values()}) == 12


def test_the_page_has_the_colors_of_the_figures(tmp_path):
    results = loaded(tmp_path, *(road(name, seeds=(0,)) for name in ROADS))
    [axes] = drawn(results)["gradient_memory"].axes
    used = {line.get_color() for line in axes.lines}
    assert {appearance.of_run(results.cells)[f"rk4 · {name}"].color for name in ROADS} == used


def test_what_was_not_measured_is_not_drawn(tmp_path):
    results = loaded(tmp_path, road("backprop"), road("adjoint", memory=lambda n: None, engine="diffrax"))
    figure = drawn(results)
    assert [text.get_text() for text in figure["gradient_memory"].axes[0].texts] == ["backprop: O(N·s)"]
    assert not any(
        math.isnan(x) for line in figure["gradient_memory"].axes[0].lines for x in line.get_ydata()
    )
