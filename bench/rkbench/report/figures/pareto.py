"""Accuracy against what it cost: which solvers no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.record import CellStatus
from rkbench.report import appearance, frames, joined, scores
from rkbench.report.figures import legend, panels, pointlabels, scales
from rkbench.report.figures.pointlabels import PointLabel
from rkbench.report.figures.style import INK, Drawing, styled
from rkbench.report.results import Results
from rkbench.report.scores import Score
from rkbench.report.statistics import median, pareto_front

Looks = dict[str, appearance.Look]
Scores = dict[str, Score]

_NAMED_UP_TO = 8
"""Solvers of a run up to which each point has its name beside it."""
_COLUMNS = ("cost", "cost_low", "cost_high", "score", "score_low", "score_high")


_OTHERS = "#808080"


_COSTS = {"train_seconds": "training time, s", "nfe_step": "evaluations of f per training step"}
_TITLE = "What is learnt against what it cost"
_READ = (
    "Medians over seeds, with their 95 % intervals; to the left is better, and above for accuracy, below for other scores. "
    "Dotted: the Pareto front, the solvers that no other beats in both; where intervals overlap, the order is not settled. "
    "Hollow: a solver with cells that failed, never on the front. Times are those of cells that ran alone; evaluations are "
    "those of a training step, forward and backward. The scale of accuracy is stretched towards 100 %."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield test accuracy against time and against evaluations, a row of panels for each task that was trained."""
    trained = joined.of(results)
    tasks, fewer = panels.first(trained.cells["task"], "tasks", panels.MOST_ROWS)
    cells = trained.cells[trained.cells["task"].isin(tasks)]
    paid = {
        "train_seconds": cells["train_seconds"].where(cells["timing_valid"]),
        "nfe_step": cells["nfe_forward"] + cells["nfe_backward"].fillna(0),
    }
    points = {column: _points(cells.assign(cost=values)) for column, values in paid.items()}
    several = [one for one in points.values() if one.groupby("task")["solver"].nunique().gt(1).any()]
    if several:
        with styled():
            known = pd.concat(points.values())["solver"].nunique()
            grey = (
                f" Grey: {known - panels.MOST_SOLVERS} further solvers."
                if known > panels.MOST_SOLVERS
                else ""
            )
            yield Drawing(
                "pareto",
                _TITLE,
                _READ + grey + fewer,
                _figure(points, appearance.of(trained.cells["solver"]), _scores(trained.cells)),
            )


def _points(cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per task and solver with both numbers: their medians and intervals, and whether a cell failed."""
    rows = []
    worth = (100 * cells["test_accuracy"]).fillna(cells["test_score"])
    known = (cells["status"] == CellStatus.OK) & cells["cost"].notna() & worth.notna()
    # Rows of a few columns are selected in a fraction of the time.
    told = cells[["task", "solver", "cost"]].assign(worth=worth, known=known, lost=frames.failed(cells))
    for (task, solver), one in told.groupby(["task", "solver"], sort=False):
        ok = one[one["known"]]
        if len(ok):
            found = (*median(ok["cost"].to_numpy()), *median(ok["worth"].to_numpy()))
            rows.append((task, solver, bool(one["lost"].any()), *found))
    return pd.DataFrame(rows, columns=["task", "solver", "failed", *_COLUMNS]).astype({"failed": bool})


def _scores(cells: pd.DataFrame) -> Scores:
    return {str(task): scores.of(one) for task, one in cells.groupby("task", sort=False)}


def _figure(points: dict[str, pd.DataFrame], style: Looks, judged: Scores) -> Figure:
    known = pd.concat(points.values())
    tasks, named = list(dict.fromkeys(known["task"])), _named(known, style, judged)
    names = panels.titles(tasks)
    figure, grid = panels.grid(2 * len(tasks), 2, (4.8, 4.2))
    places = [(axes, task, column) for axes, (task, column) in zip(grid, product(tasks, _COSTS), strict=True)]
    shown = [points[column][points[column]["task"] == task] for _, task, column in places]
    for (axes, task, column), one in zip(places, shown, strict=True):
        _panel(axes, one, named, judged[task])
        axes.set(xlabel=_COSTS[column], ylabel=judged[task].heading, title=names[task])
    panels.heading(figure, _TITLE)
    if known["solver"].nunique() > _NAMED_UP_TO or not _labelled(figure, grid, shown, named):
        legend.draw(figure, named, lines=False)
    return figure


def _panel(axes: Axes, points: pd.DataFrame, style: Looks, judged: Score) -> None:
    front = _front(points, judged)
    axes.plot(
        front["cost"], front["score"], color=INK, lw=1, ls=(0, (1, 1.5)), drawstyle="steps-post", zorder=2
    )
    for row in points[points["solver"].isin(style)].to_dict("records"):
        look = style[row["solver"]]
        axes.errorbar(
            row["cost"], row["score"], xerr=_whisker(row, "cost"), yerr=_whisker(row, "score"), color=look.color,
            marker=look.marker, ms=6, mfc="none" if row["failed"] else look.color, elinewidth=1, alpha=0.9, zorder=3,
        )  # fmt: skip
    others = points[~points["solver"].isin(style)]
    axes.plot(others["cost"], others["score"], color=_OTHERS, ls="", marker=".", ms=5, alpha=0.6)
    shown = points[["score", "score_low", "score_high"]].to_numpy().ravel()
    if judged.more_is_better:
        scales.accuracy(axes, shown, 100.0)
    else:
        scales.score(axes, shown)
    scales.costs(axes, points[["cost", "cost_low", "cost_high"]].to_numpy().ravel())


def _whisker(row: dict[Hashable, Any], name: str) -> list[list[float]]:
    """Return the lengths of an interval to both sides; 0 for a single seed."""
    below, above = row[name] - row[f"{name}_low"], row[f"{name}_high"] - row[name]
    return [[0.0 if math.isnan(length) else length] for length in (below, above)]


def _front(points: pd.DataFrame, judged: Score) -> pd.DataFrame:
    """Return the points on the front, by growing cost."""
    whole = points[~points["failed"]]
    worth = whole["score"].to_numpy() * (1 if judged.more_is_better else -1)
    return whole[pareto_front(whole["cost"].to_numpy(), worth)].sort_values("cost", kind="stable")


def _named(points: pd.DataFrame, style: Looks, judged: Scores) -> Looks:
    """Return the looks that the legend explains: those of all solvers, or of as many as it holds, the fronts' first."""
    by_task = points.groupby("task", sort=False)
    fronts = [solver for task, one in by_task for solver in _front(one, judged[str(task)])["solver"]]
    named = list(
        dict.fromkeys([*fronts, *points.sort_values("score", ascending=False, kind="stable")["solver"]])
    )
    kept = set(named[: panels.MOST_SOLVERS])
    return {solver: look for solver, look in style.items() if solver in kept}


def _labelled(figure: Figure, grid: list[Axes], shown: list[pd.DataFrame], style: Looks) -> bool:
    """Write the names of the points beside them, in all panels; return whether there was room in any and all of them."""
    figure.draw_without_rendering()  # names need to know where the points are
    room = [pointlabels.draw(axes, _labels(points, style)) for axes, points in zip(grid, shown, strict=True)]
    if not all(room):
        for text in [text for axes in grid for text in axes.texts]:
            text.remove()
    return all(room)


def _labels(points: pd.DataFrame, style: Looks) -> list[PointLabel]:
    rows, names = points.to_dict("records"), appearance.names(style)
    return [
        PointLabel(
            names[row["solver"]],
            style[row["solver"]].color,
            (row["cost"], row["score"]),
            (_ends(row, "cost"), _ends(row, "score")),
        )
        for row in rows
    ]


def _ends(row: dict[Hashable, Any], name: str) -> tuple[float, float]:
    (below,), (above,) = _whisker(row, name)
    return row[name] - below, row[name] + above
