"""How many answers a tight solve changes, over the steps that a network was trained with: where it is an ODE's."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.record import CellStatus
from rkbench.report import appearance, critical, depths, numbers, trust
from rkbench.report.figures import legend, panels, scales
from rkbench.report.figures.style import INK, Drawing, linestyle, styled
from rkbench.report.results import Results
from rkbench.report.statistics import median
from rkbench.report.trust import Limits

Looks = dict[str, appearance.Look]

_TITLE = "Answers that a tight solve changes"
_READ = (
    "Share of the test samples that the trained network classifies otherwise when dopri5 solves it at a tight tolerance, "
    "over the number of equal steps that it was trained with. Medians over seeds with their intervals. At or below the "
    "dashed line it is an ODE's network; above, that of its own steps (Ott et al. 2021). The scale is logarithmic down to "
    "a single sample, and linear from there to 0."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figure, a panel for each training task with enough numbers of steps of one method."""
    deep = depths.cells(results.cells)
    stepped = deep[deep["unit"] == depths.STEP]
    known = stepped[(stepped["status"] == CellStatus.OK) & stepped["tight_label_changes"].notna()]
    counts = known.groupby(["task", "ladder"])["depth"].transform("nunique")
    chosen = known[counts >= critical.FEWEST]
    tasks, fewer_tasks = panels.first(chosen["task"], "tasks")
    ladders, fewer_ladders = panels.first(chosen["ladder"], "methods", panels.MOST_SOLVERS)
    if tasks:
        style = {name: look for name, look in appearance.of(stepped["ladder"]).items() if name in ladders}
        limits = {task: trust.limits(results, task) for task in tasks}
        with styled():
            yield Drawing("ott", _TITLE, _READ + fewer_tasks + fewer_ladders, _figure(chosen, style, limits))


def _figure(cells: pd.DataFrame, style: Looks, limits: dict[str, Limits]) -> Figure:
    size = (6.4, 4.4) if len(limits) == 1 else (4.8, 3.8)
    names = panels.titles(limits)
    figure, grid = panels.grid(len(limits), 2, size)
    for axes, (task, limit) in zip(grid, limits.items(), strict=True):
        _panel(axes, cells[cells["task"] == task], style, limit)
        axes.set_title(names[task])
    panels.heading(figure, _TITLE)
    legend.draw(figure, style)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, style: Looks, limits: Limits) -> None:
    shown = []
    for ladder, own in cells.groupby("ladder", sort=False):
        if ladder in style:
            shown += _line(axes, own, style[str(ladder)])
    threshold = 100 * limits.answers
    axes.axhline(threshold, color=INK, lw=1, ls=(0, (5, 3)))
    axes.annotate(
        f"{numbers.percent(limits.answers)} %", (1, threshold), (-2, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="right", fontsize=8.5,
    )  # fmt: skip
    # Where the size of the test set is not known, no sample is smaller than half of what may change.
    scales.changes(axes, [*shown, threshold], 100 / limits.samples if limits.samples else threshold / 2)
    scales.depths(axes, cells["depth"])
    axes.set(xlabel="equal steps in training", ylabel="answers changed, %")


def _line(axes: Axes, cells: pd.DataFrame, look: appearance.Look) -> list[float]:
    """Draw a ladder, and return the percents that it shows."""
    found = [
        (depth, *median(100 * one.to_numpy())) for depth, one in cells.groupby("depth")["tight_label_changes"]
    ]
    rungs = pd.DataFrame(found, columns=["depth", "middle", "low", "high"])
    bars = [(rungs["middle"] - rungs["low"]).fillna(0), (rungs["high"] - rungs["middle"]).fillna(0)]
    axes.errorbar(
        rungs["depth"], rungs["middle"], yerr=bars, color=look.color, ls=linestyle(look), marker=look.marker, ms=5, lw=1.4,
        elinewidth=2.5, ecolor=(look.color, 0.3), alpha=0.9,
    )  # fmt: skip
    return [*rungs["middle"], *rungs["high"].dropna()]
