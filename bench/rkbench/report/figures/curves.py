"""Loss, accuracy and work of training, epoch by epoch and second by second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.record import CellStatus
from rkbench.report import appearance, joined, numbers, scores
from rkbench.report.figures import legend, panels, scales
from rkbench.report.figures.style import Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

Looks = dict[str, appearance.Look]

_SEEDS_UP_TO = 9
"""Solvers of a panel up to which the seeds are shown beside their median."""
_MARKS = 6
"""Markers of a line, about."""
_EPOCHS, _SECONDS = "epoch", "train_seconds"
_X = {_EPOCHS: "epoch", _SECONDS: "training time, s"}


class _Curves(NamedTuple):
    """One figure: the column that it shows, what its axis says, and over what."""

    name: str
    title: str
    caption: str
    column: str
    label: str
    over: tuple[str, ...]


_LINE = "Line: median over the seeds that ended ok, after each epoch{seeds}. Dotted, ending in ×: a seed that failed."
_LOSS = _Curves(
    "loss", "Training loss over epochs and over time", _LINE + " Logarithmic scale.", "train_loss",
    "training loss", (_EPOCHS, _SECONDS),
)  # fmt: skip
_ACCURACY = _Curves(
    "accuracy", "Test accuracy over epochs and over time",
    _LINE + " The scale is stretched towards 100 %. Dashed: the task's target, fixed before the run.",
    "test_accuracy", "test accuracy, %", (_EPOCHS, _SECONDS),
)  # fmt: skip
_SCORE = _Curves(
    "score", "Test score over epochs and over time",
    _LINE + " Lower is better. Dashed: the task's target, fixed before the run.", "test_score", "test score",
    (_EPOCHS, _SECONDS),
)  # fmt: skip
_NFE = _Curves(
    "nfe_epochs", "Function evaluations over epochs",
    "Evaluations of f in the forward solve of one training step, median over each epoch. " + _LINE, "nfe_forward",
    "evaluations of f per forward solve", (_EPOCHS,),
)  # fmt: skip


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures over epochs and time that the run has numbers of training tasks for."""
    trained = joined.of(results)
    epochs = trained.epochs.merge(trained.cells[["cell_id", "status", "target", "score"]], on="cell_id")
    shown = {
        _LOSS: epochs[epochs["train_loss"] > 0],
        _ACCURACY: epochs,
        _SCORE: epochs,
        _NFE: epochs[_varies(epochs)],
    }
    remarks = {_LOSS: panels.beside(trained.cells), _NFE: constant(trained)}
    for curves, points in shown.items():
        points = points.dropna(subset=[curves.column])
        with styled():
            yield from _drawing(curves, points, trained, remarks.get(curves, ""))


def _drawing(curves: _Curves, points: pd.DataFrame, trained: Results, remark: str) -> Iterator[Drawing]:
    """Yield one figure, of the first tasks that have such numbers, where any is left to draw."""
    tasks, fewer_tasks = panels.first(points["task"], "tasks", panels.MOST_ROWS)
    chosen = trained.cells[trained.cells["task"].isin(tasks)]
    solvers, fewer_solvers = panels.accurate(chosen, trained.baseline)
    points = points[points["task"].isin(tasks) & points["solver"].isin(solvers)]
    looks = appearance.of(trained.cells["solver"])
    style = {solver: look for solver, look in looks.items() if solver in set(solvers)}
    seeds = "; shaded or thin: the seeds" if len(style) <= _SEEDS_UP_TO else ""
    caption = curves.caption.format(seeds=seeds) + remark + fewer_tasks + fewer_solvers
    if len(points):
        yield Drawing(curves.name, curves.title, caption, _figure(points, style, curves))


def constant(results: Results) -> str:
    """Return a sentence about the solvers whose evaluations never change from epoch to epoch; empty without any."""
    epochs = results.epochs.dropna(subset=["nfe_forward"])
    changing = set(epochs.loc[_varies(epochs), "solver"].unique())
    still = [solver for solver in epochs["solver"].unique() if solver not in changing]
    if not still:
        return ""
    if not changing:
        return " They are the same in every epoch."
    which = numbers.listed(still) if len(still) <= 4 else f"{len(still)} solvers"
    return f" Those of {which} are the same in every epoch, which needs no curve."


def _varies(epochs: pd.DataFrame) -> pd.Series:
    """Return which rows belong to a solver of a task whose evaluations change within a cell."""
    within = epochs.groupby("cell_id")["nfe_forward"].transform("nunique") > 1
    return within.groupby([epochs["task"], epochs["solver"]]).transform("any")


def _figure(epochs: pd.DataFrame, style: Looks, curves: _Curves) -> Figure:
    tasks, across, drawn = list(epochs["task"].unique()), len(curves.over), set(epochs["solver"].unique())
    used = {solver: look for solver, look in style.items() if solver in drawn}
    names = panels.titles(tasks)
    figure, grid = panels.grid(
        len(tasks) * across, max(across, min(2, len(tasks))), (4.4 if len(tasks) * across > 1 else 6.2, 3.8)
    )
    for place, task in enumerate(tasks):
        points = epochs[epochs["task"] == task]
        for axes, over in zip(grid[place * across :], curves.over, strict=False):
            _panel(axes, points, used, curves, over)
            axes.set_title(names[task] or ("" if across > 1 else curves.title))
        for axes in grid[place * across + 1 : (place + 1) * across]:
            panels.beside_its_like(axes, grid[place * across])
    if len(grid) > 1:
        panels.heading(figure, curves.title)
    legend.draw(figure, used)
    return figure


def _panel(axes: Axes, epochs: pd.DataFrame, style: Looks, curves: _Curves, over: str) -> None:
    ok = epochs["status"] == CellStatus.OK
    _medians(axes, epochs[ok], style, curves, over)
    for (solver, _), points in epochs[~ok].groupby(["solver", "cell_id"], sort=False):
        axes.plot(
            points[over], points[curves.column], color=style[str(solver)].color, lw=0.9, ls=":", marker="x",
            markevery=[-1], ms=6,
        )  # fmt: skip
    axes.set(xlabel=_X[over], ylabel=curves.label)
    far = over == _SECONDS and scales.costs(axes, epochs[_SECONDS])
    if over == _EPOCHS:
        scales.epochs(axes, epochs["epoch"])
    if curves is _LOSS:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    elif curves is _ACCURACY:
        target = epochs["target"].dropna().max()
        scales.accuracy(axes, [*epochs[curves.column], target])
        scales.target(axes, target, f"target {numbers.percent(target)} %", left=far)
    elif curves is _SCORE:
        score, target = scores.of(epochs), epochs["target"].dropna().max()
        axes.set_ylabel(score.heading)
        scales.score(axes, [*epochs[curves.column], target])
        scales.target(axes, target, f"target {score.told(target)}", left=far)
    else:
        axes.set_ylim(bottom=0)


def _medians(axes: Axes, epochs: pd.DataFrame, style: Looks, curves: _Curves, over: str) -> None:
    """Draw a line per solver, its markers apart from those of the others."""
    few = epochs["solver"].nunique() <= _SEEDS_UP_TO
    for place, (solver, points) in enumerate(epochs.groupby("solver", sort=False)):
        look = style[str(solver)]
        middle = points.groupby("epoch")[list({_SECONDS, curves.column})].median().reset_index()
        if few:
            _seeds(axes, points, look, curves.column, over)
        every = max(1, round(len(middle) / _MARKS))
        axes.plot(
            middle[over], middle[curves.column], color=look.color, ls=linestyle(look), marker=look.marker, ms=4,
            markevery=(min(place % every, len(middle) - 1), every), lw=1.7 if few else 1.2, alpha=1 if few else 0.85,
        )  # fmt: skip


def _seeds(axes: Axes, points: pd.DataFrame, look: appearance.Look, column: str, over: str) -> None:
    """Draw the seeds of a solver: their range at each epoch, or each as a thin line over its own time."""
    if over == _EPOCHS:
        reach = points.groupby("epoch")[column].agg(["min", "max"])
        axes.fill_between(reach.index.to_numpy(), *np.asarray(reach).T, color=look.color, alpha=0.18, lw=0)
    else:
        for _, one in points.groupby("cell_id", sort=False):
            axes.plot(one[over], one[column], color=look.color, lw=0.7, alpha=0.3)
