"""The figures of signals: the gradient by layer, over all of its range and where it is near that of the last layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from rkbench.report import appearance, signals
from rkbench.report.figures import legend, panels
from rkbench.report.figures.style import Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

_ACROSS = 3
"""Settings of one figure."""
_PANEL = (3.5, 2.9)
_NEAR = (0.05, 20.0)
"""What is near the gradient of the last layer."""
_MARKED = 7
"""Markers of one line."""

_READ = (
    "{what}, over that at the last layer, before any training. Above over its whole range, below near 1, where nothing "
    "vanishes or explodes; lines that agree hide each other. A line that breaks off on its way to the left has come to 0. "
    "Of the seeds the one with the median of first ÷ last is drawn. Logarithmic scales; cells that failed are not drawn."
)
_FIGURES = {
    "state_gradient": (
        "signal_states",
        "Gradient with respect to the state, by layer",
        _READ.format(what="Norm of the gradient of the loss with respect to the state after each layer"),
    ),
    "parameter_gradient": (
        "signal_parameters",
        "Gradient with respect to the parameters, by layer",
        _READ.format(
            what="Norm of the gradient of the loss with respect to the parameters of each layer; of a solve, of what each step "
            "adds to that of those that all share"
        ),
    ),
}
"""What is drawn -> name, title and caption."""


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures of the signals that the run followed."""
    chosen = signals.cells(results.cells)
    datasets, fewer = panels.first(chosen["dataset"], "datasets", panels.MOST_ROWS // 2)
    settings, less = panels.first(signals.settings(chosen), "depths", _ACROSS)
    drawn = chosen[chosen["dataset"].isin(datasets) & chosen["setting"].isin(settings)]
    typical = pd.concat(
        [signals.typical(own) for _, own in drawn.groupby("dataset")] or [pd.Series(dtype="str")]
    )
    points = results.signals[["cell_id", *_FIGURES, "layer"]].merge(
        drawn[drawn["cell_id"].isin(typical)], on="cell_id"
    )
    if points.empty:
        return
    style = appearance.of_roads(chosen["ladder"])
    for column, (name, title, caption) in _FIGURES.items():
        with styled():
            figure = _figure(points, datasets, settings, style, column)
            panels.heading(figure, title)
            yield Drawing(name, title, caption + fewer + less, figure)


def _figure(
    points: pd.DataFrame,
    datasets: list[str],
    settings: list[str],
    style: dict[str, appearance.Look],
    column: str,
) -> Figure:
    """Return two rows of panels for every dataset, of a setting a column."""
    rows, across = 2 * len(datasets), len(settings)
    figure = Figure(figsize=(_PANEL[0] * across + 1.9, _PANEL[1] * rows), layout="constrained")
    grid = figure.subplots(rows, across, squeeze=False, sharex=True, sharey="row")
    for place, dataset in enumerate(datasets):
        for setting, (whole, near) in zip(
            settings, zip(*grid[2 * place : 2 * place + 2], strict=True), strict=True
        ):
            cells = points[(points["dataset"] == dataset) & (points["setting"] == setting)]
            for axes in (whole, near):
                _lines(axes, cells, style, column)
            whole.set_title(f"{dataset}: {setting}" if len(datasets) > 1 else setting)
        _scales(grid[2 * place], grid[2 * place + 1])
    for axes in grid[-1]:
        axes.set_xlabel("layer, as a share of the depth")
    drawn = set(points["ladder"])
    legend.draw(figure, {ladder: look for ladder, look in style.items() if ladder in drawn})
    return figure


def _lines(axes: Axes, cells: pd.DataFrame, style: dict[str, appearance.Look], column: str) -> None:
    """Draw every ladder, with markers that do not hide each other where lines do."""
    for place, (ladder, cell) in enumerate(cells.groupby("ladder", sort=False)):
        cell = cell.sort_values("layer")
        values = cell[column].to_numpy(dtype=float)
        if values[-1] == 0:
            continue
        step, look = max(1, len(cell) // _MARKED), style[str(ladder)]
        axes.plot(
            cell["layer"] / len(cell), np.where(values > 0, values, np.nan) / values[-1], color=look.color,
            ls=linestyle(look), marker=look.marker, markevery=(place % step, step), lw=1.3, ms=4.5, alpha=0.9,
        )  # fmt: skip


def _scales(whole: np.ndarray, near: np.ndarray) -> None:
    """Make the scales of two rows of panels logarithmic, and cut the lower ones."""
    for axes in (*whole, *near):
        axes.set(yscale="log", xlim=(0, 1.03))
    for axes in near:
        axes.set_ylim(*_NEAR)
    plain_log(near[0].yaxis)
    whole[0].yaxis.set_major_locator(LogLocator(numticks=7))
    whole[0].yaxis.set_minor_formatter(NullFormatter())
    for axes in (whole[0], near[0]):
        axes.set_ylabel("÷ that at the last layer")
