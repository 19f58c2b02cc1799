"""Accuracy against cost: which solvers no other beats in both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rkbench.report import looks
from rkbench.report.figures.style import INK, Drawing, plain_log, styled
from rkbench.report.results import Results
from rkbench.report.statistics import pareto_front

_COSTS = (("train_seconds", "training time, s"), ("nfe_step", "evaluations of f in one training step"))
_WIDE = 4
"""Largest ÷ smallest cost from which the axis is logarithmic."""

_CAPTION = (
    "Medians over seeds with their intervals: above and to the left is better. The line joins the solvers that no other "
    "beats in both; where intervals overlap, the order is not settled (see the verdicts)."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield test accuracy over training time and over evaluations, a row of panels for each task that was trained."""
    summary = results.summary()
    shown = summary[(summary["experiment"] == "training") & summary["test_accuracy"].notna()]
    if shown.groupby("task")["solver"].nunique().gt(1).any():
        style = looks.of(results.cells["solver"])
        with styled():
            figure = _panels(shown, style)
            yield Drawing("pareto", "Test accuracy against cost", _CAPTION, figure)


def _panels(shown: pd.DataFrame, style: dict[str, looks.Look]) -> Figure:
    tasks = list(dict.fromkeys(shown["task"]))
    figure = Figure(figsize=(9.2, 3.6 * len(tasks) + 0.3), layout="constrained")
    grid = figure.subplots(len(tasks), len(_COSTS), squeeze=False)
    for row, task in zip(grid, tasks, strict=True):
        for axes, (column, label) in zip(row, _COSTS, strict=True):
            _panel(axes, shown[shown["task"] == task], style, column)
            axes.set(xlabel=label, ylabel="test accuracy, %")
            if len(tasks) > 1:
                axes.set_title(task)
    figure.suptitle("Test accuracy against cost", x=0.01, ha="left", weight="bold")
    named = list(dict.fromkeys(shown["solver"]))
    handles = [_handle(solver, style[solver]) for solver in named]
    figure.legend(
        handles=handles, loc="outside right upper", fontsize=9 if len(named) < 12 else 7, handlelength=1.5
    )
    return figure


def _handle(solver: str, look: looks.Look) -> Line2D:
    return Line2D([], [], color=look.color, marker=look.marker, ls="", ms=6, label=looks.name(solver))


def _panel(axes: Axes, solvers: pd.DataFrame, style: dict[str, looks.Look], column: str) -> None:
    cost, score = solvers[column].to_numpy(float), 100 * solvers["test_accuracy"].to_numpy(float)
    front = pareto_front(cost, score)
    order = np.argsort(cost[front], kind="stable")
    axes.step(cost[front][order], score[front][order], where="post", color=INK, lw=1, alpha=0.6, zorder=1)
    for (_, solver), x, y in zip(solvers.iterrows(), cost, score, strict=True):
        look = style[str(solver["solver"])]
        axes.errorbar(
            x, y, fmt=look.marker, color=look.color, ms=7, elinewidth=1.2, alpha=0.9,
            xerr=_whisker(x, solver[f"{column}_low"], solver[f"{column}_high"]),
            yerr=_whisker(y, 100 * solver["test_accuracy_low"], 100 * solver["test_accuracy_high"]),
        )  # fmt: skip
    known = cost[np.isfinite(cost) & (cost > 0)]
    if known.size and known.max() / known.min() > _WIDE:
        axes.set_xscale("log")
        plain_log(axes.xaxis)


def _whisker(middle: float, low: float, high: float) -> np.ndarray | None:
    """Return the lengths of an interval to both sides; none for a single seed."""
    return None if np.isnan(low) else np.array([[max(middle - low, 0)], [max(high - middle, 0)]])
