"""The steps of one solve: their sizes on the way, and where tries were rejected."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from rkbench.report import looks
from rkbench.report.figures.style import INK, Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

_MOST_TASKS, _MOST_SOLVERS, _ACROSS = 6, 6, 2

_CAPTION = (
    "Size of each accepted step of one solve, over the time where it starts; × marks steps before which tries were "
    "rejected. Of one seed: in training, the last solve of the first ODE block."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the step sizes of adaptive solves, a panel per task."""
    traces = results.traces
    if traces.empty:
        return
    tasks = list(dict.fromkeys(traces["task"]))
    shown, more = tasks[:_MOST_TASKS], len(tasks) - _MOST_TASKS
    caption = _CAPTION + (f" {more} more tasks are not drawn." if more > 0 else "")
    if traces.groupby("task")["solver"].nunique().max() > _MOST_SOLVERS:
        caption += f" Of more than {_MOST_SOLVERS} solvers of a task, the first are drawn."
    with styled():
        figure = _panels(traces, shown, looks.of(results.cells["solver"]))
        yield Drawing("steps", "Step sizes along a solve", caption, figure)


def _panels(traces: pd.DataFrame, tasks: list[str], style: dict[str, looks.Look]) -> Figure:
    across = min(_ACROSS, len(tasks))
    down = math.ceil(len(tasks) / across)
    figure = Figure(figsize=(max(6.8, 4.8 * across), 3.3 * down + 0.3), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False).ravel()
    drawn: list[str] = []
    for axes, task in zip(grid, tasks, strict=False):
        drawn += _panel(axes, traces[traces["task"] == task], style)
        axes.set(title=task if len(tasks) > 1 else "Step sizes along a solve", xlabel="t", ylabel="step size")
    for axes in grid[len(tasks) :]:
        axes.remove()
    if len(tasks) > 1:
        figure.suptitle("Step sizes along a solve", x=0.01, ha="left", weight="bold")
    handles = [
        Line2D([], [], color=look.color, ls=linestyle(look), marker=look.marker, ms=4, label=looks.name(name))
        for name, look in ((name, style[name]) for name in dict.fromkeys(drawn))
    ]
    handles.append(Line2D([], [], color=INK, marker="x", ls="", label="tries rejected before"))
    figure.legend(handles=handles, loc="outside right upper", fontsize=9, handlelength=3)
    return figure


def _panel(axes: Axes, traces: pd.DataFrame, style: dict[str, looks.Look]) -> list[str]:
    """Draw the first solvers of a task, and return their names."""
    names = list(dict.fromkeys(traces["solver"]))[:_MOST_SOLVERS]
    for name in names:
        look, steps = style[name], traces[traces["solver"] == name]
        end = steps["t"].iloc[-1] + steps["h"].iloc[-1]
        sizes = steps["h"].abs().to_numpy()
        axes.step(
            [*steps["t"], end], [*sizes, sizes[-1]], where="post", color=look.color, ls=linestyle(look), lw=1.5,
            marker=look.marker, ms=4, markevery=0.3,
        )  # fmt: skip
        again = steps[steps["rejected"] > 0]
        axes.plot(again["t"], again["h"].abs(), color=look.color, marker="x", ls="", ms=5.5)
    axes.set_yscale("log")
    sizes = traces["h"].abs()
    decades = math.log10(sizes.max() / sizes.min())
    if decades > 3:
        axes.yaxis.set_major_locator(LogLocator(numticks=7))
    else:
        plain_log(axes.yaxis, (1, 3) if decades > 1.5 else (1, 2, 5))
    return names
