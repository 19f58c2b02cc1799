"""The figures of gradient tasks: memory against depth, and the error of the gradient over time and over memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rkbench.report import appearance, gradients
from rkbench.report.figures import endlabels, panels, scales
from rkbench.report.figures.endlabels import EndLabel
from rkbench.report.figures.style import Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

Looks = dict[str, appearance.Look]

_PANEL = (4.3, 3.5)
"""Width and height of the axes of a panel, in inches, about."""
_ACROSS = 2
_MARGIN = 1.9
"""Width of the names beside a panel, in inches."""

_MEMORY = (
    "gradient_memory",
    "Memory against depth",
    "Peak memory of one solve forward and backward, beyond state and parameters, against the number of steps. Markers are "
    "measured; lines are the law of growth that fits them, named at their ends, or join the markers where none does. "
    "Logarithmic scales; medians over seeds; cells that failed are not drawn.",
)  # fmt: skip
_WORK = (
    "gradient_work",
    "Error of the gradient over time and memory",
    "Error of the gradient against that at a tight tolerance, over time and over peak memory of one solve forward and "
    "backward. Each line is one road with ever more steps: below and to the left is better. Bars are 95 % intervals of the "
    "median over seeds. Logarithmic scales; cells that failed are not drawn.",
)  # fmt: skip


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures of gradient tasks that the run has numbers for."""
    chosen = gradients.cells(results.cells)
    kinds, fewer = panels.first(_kind(chosen), "kinds of solves", panels.MOST_ROWS)
    rungs = gradients.rungs(chosen[_kind(chosen).isin(kinds)])
    style = appearance.of_roads(chosen["variant"])
    for (name, title, caption), column, figure in ((_MEMORY, "memory", _memory), (_WORK, "error", _work)):
        if rungs[column].notna().any():
            with styled():
                yield Drawing(
                    name, title, caption + fewer, figure(rungs[rungs[column].notna()], style, title)
                )


def _kind(chosen: pd.DataFrame) -> pd.Series:
    """Return what has a panel of its own: a task, a method and a kind of steps."""
    kinds = list(zip(chosen["task"], chosen["method"], chosen["equal"], strict=True))
    return pd.Series(kinds, chosen.index, dtype=object)


def _memory(rungs: pd.DataFrame, style: Looks, title: str) -> Figure:
    kinds = _kinds(rungs)
    figure, grid = panels.grid(len(kinds), _ACROSS, (_PANEL[0] + _MARGIN, _PANEL[1] + 0.5))
    for axes in grid[1:]:
        axes.sharey(grid[0])
    for axes, (heading, kind) in zip(grid, kinds, strict=True):
        _grow(axes, kind, style)
        axes.set(title=heading, xlabel="steps N", ylabel="peak memory, MiB")
    for axes, (_, kind) in zip(grid, kinds, strict=True):
        endlabels.draw(axes, [_end(str(name), ladder, style) for name, ladder in _ladders(kind)], _PANEL[1])
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def _kinds(rungs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the panels: heading and rows, one for each task, method and kind of steps."""
    several, names = rungs["task"].nunique() > 1, appearance.names(rungs["method"])
    return [
        (
            f"{f'{task}: ' if several else ''}{names[str(method)]}, {'equal' if equal else 'adaptive'} steps",
            kind,
        )
        for (task, method, equal), kind in rungs.sort_index().groupby(["task", "method", "equal"], sort=False)
    ]


def _ladders(kind: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [
        (str(name), ladder.sort_values("depth", kind="stable"))
        for name, ladder in kind.groupby("variant", sort=False)
    ]


def _grow(axes: Axes, kind: pd.DataFrame, style: Looks) -> None:
    """Draw the memory of every ladder, and its law."""
    for name, ladder in _ladders(kind):
        look, found = style[name], gradients.law(ladder)
        depth, memory = ladder["depth"].to_numpy(dtype=float), ladder["memory"].to_numpy()
        axes.plot(depth, memory, color=look.color, ls="", marker=look.marker, ms=4.5, alpha=0.9)
        if found.law:
            depth = np.geomspace(depth[0], depth[-1], 200)
            memory = found.at(depth)
        axes.plot(depth, memory, color=look.color, ls=linestyle(look), lw=1.3, alpha=0.9)
    axes.set(yscale="log")
    plain_log(axes.yaxis)
    scales.depths(axes, kind["depth"])


def _end(name: str, ladder: pd.DataFrame, style: Looks) -> EndLabel:
    law = gradients.spelt(gradients.law(ladder), ladder)
    last = ladder.iloc[-1]
    text = f"{appearance.names(style)[name] or last['gradient']}{': ' if law else ''}{law}"
    return EndLabel(text, last["depth"], last["memory"], style[name].color)


def _work(rungs: pd.DataFrame, style: Looks, title: str) -> Figure:
    kinds = _kinds(rungs)
    figure = Figure(figsize=(2 * _PANEL[0] + 1.8, (_PANEL[1] - 0.3) * len(kinds) + 0.6), layout="constrained")
    grid = figure.subplots(len(kinds), 2, squeeze=False, sharex="col", sharey=True)
    for row, (heading, kind) in zip(grid, kinds, strict=True):
        for axes, column, label in zip(
            row, ("seconds", "memory"), ("time, ms", "peak memory, MiB"), strict=True
        ):
            _trade(axes, kind, style, column)
            axes.set(title=heading, xlabel=label, ylabel="gradient error")
            axes.tick_params(labelleft=True, labelbottom=True)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    _legend(figure, rungs, style)
    return figure


def _trade(axes: Axes, kind: pd.DataFrame, style: Looks, column: str) -> None:
    scale = 1000 if column == "seconds" else 1
    for name, ladder in _ladders(kind):
        look = style[name]
        axes.plot(
            ladder[column] * scale, ladder["error"], color=look.color, ls=linestyle(look), marker=look.marker, lw=1.3,
            ms=4.5, alpha=0.9,
        )  # fmt: skip
        if column == "seconds":
            axes.hlines(
                ladder["error"], ladder["seconds_low"] * scale, ladder["seconds_high"] * scale, color=look.color, lw=3,
                alpha=0.25,
            )  # fmt: skip
    axes.set(xscale="log", yscale="log")
    plain_log(axes.xaxis, (1, 3))
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, rungs: pd.DataFrame, style: Looks) -> None:
    """Explain the lines, those with the most memory first."""
    most = rungs.groupby("variant", sort=False)["memory"].max().sort_values(ascending=False, kind="stable")
    handles, names = [], appearance.names(style)
    for variant in map(str, most.index):
        look = style[variant]
        handle = Line2D([], [], color=look.color, ls=linestyle(look), marker=look.marker, ms=5)
        handle.set_label(names[variant] or "alone")
        handles.append(handle)
    figure.legend(handles=handles, loc="outside right upper", fontsize=9, handlelength=3.6)
