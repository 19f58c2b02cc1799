"""Figure 3 of Chen et al. (2018, arXiv:1806.07366): what tolerances cost and change, and how work grows in training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from rkbench.record import CellStatus
from rkbench.report import appearance, trust
from rkbench.report.figures import legend, panels, scales
from rkbench.report.figures.style import INK, Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results
from rkbench.report.trust import Limits

Looks = dict[str, appearance.Look]

_TITLE = "Tolerances, evaluations of f and time: {}"
_READ = (
    "As figure 3 of Chen et al. (2018). Left above: networks trained at one tolerance and tested at others: answers that "
    "change against those at their own, hollow, over the evaluations of f per batch; logarithmic down to a single sample, "
    "linear from there to 0; or how far a logit changes at most, where no answer does; of a task with a "
    "score, how far that changes. "
    "Right above: the time of these tests. Left below: evaluations of f on the way back of a "
    "training step against those of its forward solve, a point for each cell; backprop needs none. Right below: evaluations "
    "of the forward solve over epochs. Lines are medians over seeds."
)
_SIZE = (4.6, 3.4)


class _Measured(NamedTuple):
    """What the panels of a task show: a row per look, per cell and per epoch, each with its solver."""

    looks: pd.DataFrame
    cells: pd.DataFrame
    epochs: pd.DataFrame


def draw(results: Results) -> Iterator[Drawing]:
    """Yield a figure for each training task with networks that were tested at several tolerances."""
    trained = results.of("training")
    adaptive = trained.cells[(trained.cells["status"] == CellStatus.OK) & trained.cells["rtol"].notna()]
    tried = _tried(trained.looks, adaptive)
    tasks, fewer = panels.first(tried["task"], "tasks", panels.MOST_ROWS)
    style, taken = appearance.of(results.cells["solver"]), set()
    for task in tasks:
        cells = adaptive[(adaptive["task"] == task) & adaptive["solver"].isin(tried["solver"])]
        solvers, fewer_solvers = panels.accurate(cells, trained.baseline)
        epochs = trained.epochs[trained.epochs["cell_id"].isin(cells["cell_id"])]
        chosen = _Measured(*(_of(one, task, solvers) for one in (tried, cells, epochs)))
        used = {solver: look for solver, look in style.items() if solver in solvers}
        with styled():
            figure = _figure(chosen, used, trust.limits(results, task), _TITLE.format(task))
        caption = _READ + panels.beside(chosen.cells) + fewer + fewer_solvers
        yield Drawing(_stem(task, taken), _TITLE.format(task), caption, figure)


def _tried(tests: pd.DataFrame, adaptive: pd.DataFrame) -> pd.DataFrame:
    """Return the tests by the methods that the networks were trained with, of solvers tested at two tolerances or more."""
    own = adaptive[["cell_id", "rtol"]]
    known = tests[tests["by_rtol"].notna() & (tests["by_method"] == tests["method"])].merge(own, on="cell_id")
    several = known.groupby(["task", "solver"])["by_rtol"].transform("nunique") > 1
    return known[several]


def _of(rows: pd.DataFrame, task: str, solvers: list[str]) -> pd.DataFrame:
    return rows[(rows["task"] == task) & rows["solver"].isin(solvers)]


def _stem(task: str, taken: set[str]) -> str:
    """Return the stem of a file for a task, which no other task has."""
    stem = f"tolerance_{re.sub(r'[^a-z0-9]+', '_', task.lower()).strip('_')[:60]}"
    while stem in taken:
        stem += "_"
    taken.add(stem)
    return stem


def _figure(found: _Measured, style: Looks, limits: Limits, title: str) -> Figure:
    figure, (changes, seconds, back, grown) = panels.grid(4, 2, _SIZE)
    looks = found.looks.assign(score_change=found.looks["score_change"].abs())
    tests = looks.groupby(["solver", "by_rtol", "rtol"], sort=False)[
        ["nfe", "label_changes", "logit_change", "score_change", "seconds"]
    ]
    medians = tests.median().reset_index().sort_values("nfe", kind="stable")
    _changes(changes, medians, style, limits)
    _seconds(seconds, medians, style, limits)
    _back(back, found.cells, style)
    _grown(grown, found.epochs, style)
    panels.heading(figure, title)
    legend.draw(figure, style)
    return figure


def _changes(axes: Axes, medians: pd.DataFrame, style: Looks, limits: Limits) -> None:
    """Draw how many answers change at other tolerances; how far logits do where no answer does, and scores where none is."""
    if medians["label_changes"].isna().all():
        _distances(axes, medians, "score_change", "change of the score", style)
        return
    if not medians["label_changes"].any():
        _distances(axes, medians, "logit_change", "largest change of a logit, nats", style)
        return
    percents = medians.assign(label_changes=100 * medians["label_changes"])
    _lines(axes, percents, "label_changes", style)
    scales.costs(axes, medians["nfe"])
    smallest = percents["label_changes"][percents["label_changes"] > 0].min()
    one = 100 / limits.samples if limits.samples else smallest if pd.notna(smallest) else 0.1
    scales.changes(axes, percents["label_changes"], one)
    axes.set(xlabel="evaluations of f per batch", ylabel="answers changed, %")


def _distances(axes: Axes, medians: pd.DataFrame, column: str, said: str, style: Looks) -> None:
    """Draw how far something moves at other tolerances, where it does."""
    _lines(axes, medians[medians[column] > 0], column, style)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())
    scales.costs(axes, medians["nfe"])
    axes.set(xlabel="evaluations of f per batch", ylabel=said)


def _seconds(axes: Axes, medians: pd.DataFrame, style: Looks, limits: Limits) -> None:
    """Draw how long the tests took."""
    _lines(axes, medians, "seconds", style)
    if scales.costs(axes, medians["nfe"]):
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    else:
        axes.set_ylim(bottom=0)
    samples = f"{limits.samples:,} " if limits.samples else "the "
    axes.set(xlabel="evaluations of f per batch", ylabel=f"time of {samples}test samples, s")


def _lines(axes: Axes, medians: pd.DataFrame, column: str, style: Looks) -> None:
    for solver, rungs in medians.groupby("solver", sort=False):
        look = style[str(solver)]
        axes.plot(
            rungs["nfe"], rungs[column], color=look.color, ls=linestyle(look), marker=look.marker, ms=4.5, lw=1.3, alpha=0.9
        )  # fmt: skip
        own = rungs[rungs["by_rtol"] == rungs["rtol"]]
        axes.plot(
            own["nfe"], own[column], color=look.color, ls="", marker=look.marker, ms=7, mfc="none", mew=1.4
        )


def _back(axes: Axes, cells: pd.DataFrame, style: Looks) -> None:
    """Draw the work on the way back against that of the way there."""
    for solver, own in cells.groupby("solver", sort=False):
        look = style[str(solver)]
        axes.plot(
            own["nfe_forward"], own["nfe_backward"], color=look.color, ls="", marker=look.marker, ms=4.5, alpha=0.8
        )  # fmt: skip
    most, high = (1.1 * np.nanmax([1.0, *cells[name]]) for name in ("nfe_forward", "nfe_backward"))
    axes.set(xlim=(0, most), ylim=(-0.03 * max(high, most), max(high, 0.75 * most)))
    for slope, text in ((1.0, "y = x"), (0.5, "y = x/2")):
        end = min(most, axes.get_ylim()[1] / slope)
        axes.plot([0, end], [0, slope * end], color=INK, lw=0.9, ls=(0, (5, 3)), zorder=1)
        axes.annotate(
            text,
            (end, slope * end),
            (-7, 0),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8.5,
        )
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel="evaluations of f, forward", ylabel="evaluations of f, backward")


def _grown(axes: Axes, epochs: pd.DataFrame, style: Looks) -> None:
    """Draw the work of the forward solve over training."""
    for solver, own in epochs.groupby("solver", sort=False):
        look, middle = style[str(solver)], own.groupby("epoch")["nfe_forward"].median()
        axes.plot(
            middle.index.to_numpy(), middle.to_numpy(), color=look.color, ls=linestyle(look), marker=look.marker, ms=4, lw=1.3,
            markevery=max(1, len(middle) // 6), alpha=0.9,
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    scales.epochs(axes, epochs["epoch"])
    axes.set(xlabel="epoch", ylabel="evaluations of f, forward")
