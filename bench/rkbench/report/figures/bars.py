"""Time and work of training, a row per solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rkbench.record import CellStatus
from rkbench.report import appearance, frames, joined, numbers
from rkbench.report.figures import curves, panels, scales
from rkbench.report.figures.style import INK, Drawing, styled
from rkbench.report.results import Results
from rkbench.report.statistics import Estimate, median

Looks = dict[str, appearance.Look]

_ACROSS = 2
_CAPTION = "Dot: a seed; stroke: their median; bar: its 95 % interval; both in numbers at the right."


class _Bars(NamedTuple):
    """One figure: the column that it shows, what its axis says, and how its numbers are spelt."""

    name: str
    title: str
    caption: str
    column: str
    label: str
    spell: Callable[[float], str]


_TIME = _Bars(
    "time", "Training time per solver", "", "train_seconds", "training time, s", numbers.seconds
)  # fmt: skip
_NFE = _Bars(
    "nfe", "Function evaluations per solver", "Evaluations of f in the forward solve of one training step. ",
    "nfe_forward", "evaluations of f per forward solve of a training step", numbers.count,
)  # fmt: skip


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures of time and of work that the run has numbers of training tasks for."""
    trained = joined.of(results)
    tasks, fewer_tasks = panels.first(trained.cells["task"], "tasks", panels.MOST_ROWS)
    cells = trained.cells[trained.cells["task"].isin(tasks)]
    solvers, fewer_solvers = panels.accurate(cells, trained.baseline)
    cells = cells[cells["solver"].isin(solvers)]
    style = appearance.of(trained.cells["solver"])
    for bars, remark in ((_TIME, panels.beside), (_NFE, lambda _: curves.constant(trained))):
        if cells[bars.column].notna().any():
            with styled():
                caption = bars.caption + _CAPTION + remark(cells) + fewer_tasks + fewer_solvers
                yield Drawing(bars.name, bars.title, caption, _figure(cells, style, bars))


def _figure(cells: pd.DataFrame, style: Looks, bars: _Bars):
    cells = cells[["task", "solver", "status", "message", bars.column]]
    tasks = list(dict.fromkeys(cells["task"]))
    rows = cells.groupby("task")["solver"].nunique().max()
    figure, grid = panels.grid(len(tasks), _ACROSS, (6.2, 1.5 + (0.32 if rows < 12 else 0.24) * rows))
    names = panels.titles(tasks)
    for axes, task in zip(grid, tasks, strict=True):
        _panel(axes, cells[cells["task"] == task], style, bars)
        axes.set_title(names[task] or bars.title)
    if len(tasks) > 1:
        panels.heading(figure, bars.title)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, style: Looks, bars: _Bars) -> None:
    ok = cells[cells["status"] == CellStatus.OK]
    solvers = list(dict.fromkeys(cells["solver"]))
    sns.stripplot(
        ok, x=bars.column, y="solver", order=solvers, hue="solver", hue_order=solvers,
        palette={solver: style[solver].color for solver in solvers}, size=5.5, alpha=0.75, jitter=False, legend=False,
        ax=axes,
    )  # fmt: skip
    for row, solver in enumerate(solvers):
        middle = median(ok.loc[ok["solver"] == solver, bars.column].to_numpy())
        ends, color = (middle.low, middle.high), style[solver].color
        axes.plot(ends, (row, row), color=color, lw=5, alpha=0.3, solid_capstyle="butt")
        axes.plot([middle.median] * 2, [row - 0.3, row + 0.3], color=INK, lw=1.6)
        text = _in_words(middle, cells[cells["solver"] == solver], bars.spell)
        axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8.5)
    names = appearance.names(style)
    axes.set_yticks(range(len(solvers)), [names[solver] for solver in solvers])
    axes.set(xlabel=bars.label, ylabel="", ylim=(len(solvers) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")
    if not scales.costs(axes, ok[bars.column]) and bars is _NFE:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=(1, 2, 5, 10)))


def _in_words(middle: Estimate, cells: pd.DataFrame, spell: Callable[[float], str]) -> str:
    """Return a median and its interval, and how many of the cells failed and how."""
    interval = numbers.interval(spell, *middle)
    parts = [f"{spell(middle.median)} ({interval})" if interval else spell(middle.median)]
    lost = cells.loc[cells["status"] != CellStatus.OK]
    if len(lost):
        words = sorted(set(lost["status"].where(~frames.pending(lost), frames.NOT_RUN)))
        parts.append(f"{len(lost)} of {len(cells)} {', '.join(words)}")
    return ", ".join(part for part in parts if part != numbers.NONE)
