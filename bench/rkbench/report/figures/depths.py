"""Memory of a training step and time of an epoch, against the depth of the network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.report import appearance, depths
from rkbench.report.figures import endlabels, legend, panels, scales
from rkbench.report.figures.endlabels import EndLabel
from rkbench.report.figures.style import Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

Looks = dict[str, appearance.Look]

FEWEST = 3
"""Depths of a ladder without which it is not drawn."""
_NAMED_UP_TO = 8
"""Ladders up to which each has its name and law at its end."""
_HEIGHT = 3.5

_TITLE = "Memory and time of training against depth"
_READ = (
    "Most tensors alive at once in one training step, beyond data and parameters, and training time of one epoch, against "
    "the depth N of the network: equal steps of its solver, or residual blocks. Markers are measured, with their "
    "intervals; lines are the law of growth that fits them, or join them where none does. Logarithmic scales; medians over "
    "seeds; times are those of cells that ran alone."
)
_LABELS = {"memory": "memory of a training step, MiB", "seconds": "time of an epoch, s"}


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figure, where networks were trained at enough depths."""
    rungs = depths.rungs(depths.cells(results.cells))
    found = {column: dict(depths.ladders(rungs, column, FEWEST)) for column in depths.MEASURES}
    names, fewer = panels.first(
        (name for ladders in found.values() for name in ladders), "ladders", panels.MOST_SOLVERS
    )
    if names:
        style = appearance.of(names)
        drawn = {
            column: {name: ladder for name, ladder in ladders.items() if name in style}
            for column, ladders in found.items()
        }
        with styled():
            yield Drawing("growth", _TITLE, _READ + fewer, _figure(drawn, style))


def _figure(found: dict[str, dict[str, pd.DataFrame]], style: Looks) -> Figure:
    known = {column: ladders for column, ladders in found.items() if ladders}
    named = len(style) <= _NAMED_UP_TO
    figure, grid = panels.grid(len(known), 2, (6.2 if named else 4.6, _HEIGHT + 0.5))
    for axes, (column, ladders) in zip(grid, known.items(), strict=True):
        _panel(axes, ladders, column, style)
        axes.set(xlabel="depth N, steps or blocks", ylabel=_LABELS[column])
    panels.heading(figure, _TITLE)
    if named:
        for axes, (column, ladders) in zip(grid, known.items(), strict=True):
            endlabels.draw(axes, _ends(ladders, column, style), _HEIGHT)
    else:
        legend.draw(figure, style)
    return figure


def _panel(axes: Axes, ladders: dict[str, pd.DataFrame], column: str, style: Looks) -> None:
    for name, ladder in ladders.items():
        _line(axes, ladder, column, style[name])
    axes.set_yscale("log")
    plain_log(axes.yaxis)
    scales.depths(axes, pd.concat(ladders.values())["depth"])


def _line(axes: Axes, ladder: pd.DataFrame, column: str, look: appearance.Look) -> None:
    grown = depths.law(ladder, column)
    depth, middle = (ladder[name].to_numpy(dtype=float) for name in ("depth", column))
    axes.plot(depth, middle, color=look.color, ls="", marker=look.marker, ms=4.5, alpha=0.9)
    axes.vlines(depth, ladder[f"{column}_low"], ladder[f"{column}_high"], color=look.color, lw=3, alpha=0.25)
    if grown.law:
        depth = np.geomspace(depth[0], depth[-1], 200)
        middle = grown.at(depth)
    axes.plot(depth, middle, color=look.color, ls=linestyle(look), lw=1.3, alpha=0.9)


def _ends(ladders: dict[str, pd.DataFrame], column: str, style: Looks) -> list[EndLabel]:
    labels, names = [], appearance.names(ladders)
    for name, ladder in ladders.items():
        laws, last = depths.law(ladder, column).laws, ladder.iloc[-1]
        text = f"{names[name]}{': ' if laws else ''}{' or '.join(f'O({law})' for law in laws)}"
        labels.append(EndLabel(text, last["depth"], last[column], style[name].color))
    return labels
