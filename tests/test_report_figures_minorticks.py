"""Minor ticks are one artist of each axis, and look as they did."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from rkbench.report.figures import minorticks
from rkbench.report.figures.style import plain_log, styled


def logarithmic(**shared) -> Figure:
    """Return two panels above each other, of which the lower one has steps on both axes."""
    figure = Figure(figsize=(4, 4))
    for axes in figure.subplots(2, 1, **shared):
        axes.set(xscale="log", yscale="log", xlim=(0.7, 300), ylim=(3e-4, 2))
        plain_log(axes.xaxis)
        axes.yaxis.set_minor_formatter(NullFormatter())
    return figure


def pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("shared", [{}, {"sharex": True, "sharey": True}])
def test_they_look_the_same_to_the_pixel_and_none_is_left(shared):
    with styled():
        figures = [logarithmic(**shared) for _ in range(2)]
        minorticks.flatten(figures[1])
        usual, flat = map(pixels, figures)
    assert np.abs(usual - flat).max() <= 1  # of 255, from the rounding of a transform
    for axes in figures[1].axes:
        assert len(axes.xaxis.get_minorticklocs()) == len(axes.yaxis.get_minorticklocs()) == 0


def test_marks_are_one_artist_of_each_axis_within_its_limits():
    figure = logarithmic()
    before = [set(axes.get_children()) for axes in figure.axes]
    minorticks.flatten(figure)
    for axes, known in zip(figure.axes, before, strict=True):
        added = [one for one in axes.get_children() if one not in known and isinstance(one, Line2D)]
        across, up = (np.asarray(one.get_data())[place] for place, one in enumerate(added))
        assert (across.min(), across.max()) == pytest.approx((0.7, 300))
        assert len(up) > 20


def test_an_axis_with_numbers_at_its_minor_ticks_keeps_them():
    figure = Figure()
    axes = figure.subplots()
    axes.set(xscale="log", xlim=(1, 3))
    numbered = len(axes.xaxis.get_minorticklocs())
    minorticks.flatten(figure)
    assert len(axes.xaxis.get_minorticklocs()) == numbered > 0


def test_an_axis_without_ticks_stays_without():
    figure = Figure()
    axes = figure.subplots()
    axes.set(xscale="log", xlim=(1, 100))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", bottom=False)
    before = len(axes.get_children())
    minorticks.flatten(figure)
    assert len(axes.get_children()) == before
