"""Step sizes along a solve, and where tries were rejected."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from rkbench.record import LONGEST_TRACE
from rkbench.report import appearance, extent, numbers
from rkbench.report.figures import panels
from rkbench.report.figures.style import INK, Drawing, plain_log, styled
from rkbench.report.results import Results

_TITLE = "Step sizes along a solve"
_READ = (
    "Size of each step that was accepted, in the unit of t, over where it was taken, in one solve: of the first seed, after "
    "training where there is any. × on a step: tries rejected before it, with their number where several were."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the steps of the solves that adapted theirs, of as many as a figure holds."""
    traces = results.traces[results.traces["h"].abs() > 0]
    if traces.empty:
        return
    shown = _chosen(traces)
    style = appearance.of(results.cells["solver"])
    with styled():
        yield Drawing("steps", _TITLE, _READ + _left_out(traces, shown), _figure(traces, shown, style))


def _chosen(traces: pd.DataFrame) -> list[str]:
    """Return the cells to draw, in their order: of each task in turn, each method before one comes again."""
    every = traces[["cell_id", "task", "method"]].drop_duplicates("cell_id").reset_index(drop=True)
    again = every.groupby(["task", "method"]).cumcount()
    turn = again.sort_values(kind="stable").groupby(every["task"]).cumcount()
    kept = set(turn.sort_values(kind="stable").index[: panels.MOST])
    return [cell_id for place, cell_id in enumerate(every["cell_id"]) if place in kept]


def _left_out(traces: pd.DataFrame, shown: list[str]) -> str:
    lengths = traces.groupby("cell_id").size()
    sentences = ""
    if len(shown) < len(lengths):
        sentences += " " + extent.more(len(lengths), len(shown), "solves", "traces.parquet")
    cut = int((lengths[shown] >= LONGEST_TRACE).sum())
    if cut:
        sentences += f" Of {numbers.counted(cut, 'solve')} the first {LONGEST_TRACE} steps are drawn, which is all that is kept."
    return sentences


def _figure(traces: pd.DataFrame, shown: list[str], style: dict[str, appearance.Look]) -> Figure:
    figure, grid = panels.grid(len(shown), 3, (6.2 if len(shown) == 1 else 4.1, 3.1))
    tasks = panels.titles(traces.loc[traces["cell_id"].isin(shown), "task"])
    names = appearance.names(style)
    for axes, cell_id in zip(grid, shown, strict=True):
        steps = traces[traces["cell_id"] == cell_id]
        task, solver = steps["task"].iloc[0], steps["solver"].iloc[0]
        _panel(axes, steps, style[solver].color)
        axes.set_title("\n".join(filter(None, (tasks[task], names[solver]))))
    panels.heading(figure, _TITLE)
    mark = Line2D([], [], color=INK, ls="", marker="x", ms=6, label="rejected before")
    figure.legend(handles=[mark], loc="outside upper right", fontsize=9)
    return figure


def _panel(axes: Axes, steps: pd.DataFrame, color: str) -> None:
    start, size, tried = (steps[name].to_numpy() for name in ("t", "h", "rejected"))
    height, end = np.abs(size), start[-1] + size[-1]
    axes.step([*start, end], [*height, height[-1]], where="post", color=color, lw=1.4)
    axes.plot(start[tried > 0], height[tried > 0], color=INK, ls="", marker="x", ms=5, mew=1.1)
    for t, h, count in zip(start[tried > 1], height[tried > 1], tried[tried > 1], strict=True):
        axes.annotate(str(count), (t, h), (0, 5), textcoords="offset points", ha="center", fontsize=7)
    axes.annotate(
        f"{numbers.counted(len(steps), 'step')}, {tried.sum()} rejected", (1, 1), (-2, -2), xycoords="axes fraction",
        textcoords="offset points", ha="right", va="top", fontsize=8.5,
    )  # fmt: skip
    axes.set(xlabel="t", ylabel="step size")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    _sizes(axes, height)


def _sizes(axes: Axes, sizes: np.ndarray) -> None:
    """Make the axis of sizes logarithmic, with room above for words and at least three numbers."""
    low, high = sizes.min(), sizes.max()
    axes.set_yscale("log")
    axes.set_ylim(low / 1.3, high * max(1.6, (high / low) ** 0.25))
    plain_log(axes.yaxis, (1, 2, 3, 5, 7) if high / low < 4 else (1, 2, 5) if high / low < 100 else (1,))
