"""How many panels and solvers one figure can hold, and the sentences about those that it leaves out."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import TypeVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.record import CellStatus
from rkbench.report import extent, families, numbers

Key = TypeVar("Key")

MOST = 6
"""Panels of one figure."""
MOST_ROWS = 4
"""Tasks of one figure, where each has two panels or one of many rows."""
MOST_SOLVERS = 30
"""Lines or rows of one panel, which still differ in color, dashes and marker."""
_HEADING, _TITLE = 44, 34
"""Letters of a line of a figure's heading, and of a panel's title."""
MOST_LINES = 75
"""Lines or rows of all panels of a figure together, so that it takes seconds to draw and a page to see."""


def first(names: Iterable[Key], noun: str, most: int = MOST) -> tuple[list[Key], str]:
    """Return as many different names as a figure holds, in their order, and a sentence where there are more."""
    known = list(dict.fromkeys(names))
    return known[:most], "" if len(known) <= most else _drawn(most, len(known), noun, "the first of the plan")


def accurate(cells: pd.DataFrame, baseline: str | None) -> tuple[list[str], str]:
    """Return as many solvers as the panels of the tasks hold, in their order, and a sentence where there are more.

    They are those of the baseline, then the most accurate, by the median of their cells.
    """
    known = list(dict.fromkeys(cells["solver"]))
    lines = len(cells[["task", "solver"]].drop_duplicates())
    if len(known) <= MOST_SOLVERS and lines <= MOST_LINES:
        return known, ""
    most = min(MOST_SOLVERS, MOST_LINES // max(1, cells["task"].nunique()))
    worth = cells["test_accuracy"].fillna(-cells["test_score"])
    score = worth.groupby(cells["solver"], sort=False).median().fillna(-math.inf)
    score[cells.loc[cells["method"] == baseline, "solver"].unique()] = math.inf
    kept = set(score.sort_values(ascending=False, kind="stable").index[:most])
    sentence = _drawn(most, len(known), "solvers", "the most accurate and the baseline's")
    return [solver for solver in known if solver in kept], sentence


def beside(cells: pd.DataFrame) -> str:
    """Return a sentence where cells ran beside others, so that their times may not be compared."""
    untimed = int((~cells["timing_valid"] & (cells["status"] == CellStatus.OK)).sum())
    if not untimed:
        return ""
    return f" {numbers.counted(untimed, 'cell')} ran beside others: times of theirs must not be compared."


def grid(count: int, across: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels of a size in inches, a few beside each other, those that fit alone."""
    across = min(across, count)
    down = math.ceil(count / across)
    figure = Figure(figsize=(size[0] * across, size[1] * down), layout="constrained")
    every: list[Axes] = list(figure.subplots(down, across, squeeze=False).ravel())
    for axes in every[count:]:
        axes.remove()
    return figure, every[:count]


def beside_its_like(axes: Axes, other: Axes) -> None:
    """Give axes the vertical axis of those at their left, which name it."""
    axes.set_ylim(other.get_ylim())
    axes.set_ylabel("")
    axes.tick_params(labelleft=False)


def heading(figure: Figure, text: str) -> None:
    """Write the title of a figure of several panels, on lines that end before a legend at its right."""
    figure.suptitle(textwrap.fill(text, _HEADING), x=0.01, ha="left", weight="bold")


def titles(tasks: Iterable[str]) -> dict[str, str]:
    """Return what the panels of tasks are called: without what all of them share, on lines as wide as a panel.

    A single one needs no name.
    """
    short = families.short(tasks)
    return {task: textwrap.fill(name, _TITLE) if len(short) > 1 else "" for task, name in short.items()}


def _drawn(drawn: int, known: int, noun: str, which: str) -> str:
    return " " + extent.more(known, drawn, f"{noun}, {which},", "cells.parquet")
