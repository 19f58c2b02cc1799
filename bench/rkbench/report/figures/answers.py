"""What higher order costs against lower order, task by task: the intervals behind the answers to a suite's questions."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.report import extent
from rkbench.report.answers import asked, rule
from rkbench.report.answers.asked import Asked
from rkbench.report.answers.comparison import Comparison
from rkbench.report.answers.costs import ERROR, ERROR_ODE, ODE, TRAINING
from rkbench.report.answers.document import FIGURE
from rkbench.report.answers.rule import Finding
from rkbench.report.figures.style import INK, PAPER, Drawing, plain_log, styled
from rkbench.report.results import Results

MOST = 40
"""Rows: questions and their tasks."""
_TITLES = {
    ERROR.key: "Error at equal evaluations",
    ERROR_ODE.key: "… as an ODE",
    TRAINING.key: "Evaluations to the target",
    ODE.key: "… as an ODE",
}
_OPEN = "#808080"
_COLORS: dict[Finding, str] = {"pays": "#0072B2", "costs": "#D55E00", "same": _OPEN}
_WIDE, _ROW = 44, 0.34
_TITLE = "Higher order against lower order"
_READ = (
    "The error that higher order leaves at equal evaluations of f, and the evaluations of f that it takes to reach the target "
    "of a task, over those of lower order: ratios, paired by seed, with their intervals, on a logarithmic axis. Left of 1, "
    "higher order is better. Filled: a difference that may be "
    "claimed, Holm-corrected over the tasks of the question, or in grey that there is none beyond 2 %; hollow: undecided. "
    "An arrow at the "
    "edge: it is decided by the seeds on which one side alone reached the target, or did not fail; how many these were of "
    "either side is written there, higher order first; ✕: none of either. As an ODE: when the trained networks are solved "
    "tightly."
)


class _Row(NamedTuple):
    """A line of the figure: the heading of a question, or one of its tasks with what was found by cost."""

    label: str
    found: dict[str, Comparison]
    heading: bool


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figure, where the suite asks questions and something was measured."""
    rows = [row for one in asked.of(results) for row in _rows(one)]
    costs = [key for key in _TITLES if any(row.found[key].seeds for row in rows if key in row.found)]
    if costs:
        fewer = extent.more(len(rows), min(MOST, len(rows)), "rows", "answers.md")
        with styled():
            yield Drawing(FIGURE, _TITLE, _READ + f" {fewer}".rstrip(), _figure(rows[:MOST], costs))


def _rows(one: Asked) -> list[_Row]:
    heading = _Row(textwrap.fill(one.sides.ask, _WIDE).replace("$", r"\$"), {}, heading=True)
    tasks = [
        _Row(
            task.name.replace("$", r"\$"),
            {key: found[place] for key, found in one.found.items()},
            heading=False,
        )
        for place, task in enumerate(one.tasks)
    ]
    return [heading, *tasks]


def _figure(rows: list[_Row], costs: list[str]) -> Figure:
    height = 1.1 + sum(_height(row) for row in rows)
    figure = Figure(figsize=(2.6 + 3.1 * len(costs), height), layout="constrained")
    panels = figure.subplots(1, len(costs), squeeze=False, sharey=True)[0]
    limits = _limits([row.found[key] for row in rows for key in costs if key in row.found])
    places = np.cumsum([_height(row) for row in rows]) - _ROW / 2
    for axes, key in zip(panels, costs, strict=True):
        _panel(
            axes,
            {place: row.found[key] for place, row in zip(places, rows, strict=True) if key in row.found},
            limits,
        )
        axes.set_title(_TITLES[key])
    panels[0].set_yticks(places, [row.label for row in rows])
    for text, row in zip(panels[0].get_yticklabels(), rows, strict=True):
        text.set_weight("bold" if row.heading else "normal")
    panels[0].set_ylim(places[-1] + 0.8 * _ROW, places[0] - 0.8 * _height(rows[0]))
    return figure


def _height(row: _Row) -> float:
    """Return the inches of a row; a heading has its lines and some air above them."""
    return _ROW * (1.0 if not row.heading else 0.9 + 0.6 * row.label.count("\n"))


def _panel(axes: Axes, found: dict[float, Comparison], limits: tuple[float, float]) -> None:
    axes.set(xscale="log", xlim=limits, xlabel="higher order ÷ lower order")
    plain_log(axes.xaxis, (1, 2, 5) if limits[1] / limits[0] < 200 else (1,))
    axes.axvline(1, color=INK, lw=1)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    for place, one in found.items():
        if one.seeds:
            _mark(axes, place, one, limits)


def _limits(found: list[Comparison]) -> tuple[float, float]:
    """Return the ends of an axis that holds all finite numbers, and 1, with room for the arrows."""
    numbers = [value for one in found for value in one.decision.estimate if 0 < value < math.inf]
    return min([0.25, *numbers]) / 1.6, max([4.0, *numbers]) * 1.6


def _mark(axes: Axes, place: float, one: Comparison, limits: tuple[float, float]) -> None:
    found = rule.finding(one)
    color = _COLORS.get(found, _OPEN)
    if found == "unreached":
        axes.plot(1, place, marker="x", color=color, ms=7, ls="")
        return
    middle, *ends = (float(np.clip(value, *limits)) for value in one.decision.estimate)
    if middle in limits:
        _arrow(axes, place, one, limits, color)
        return
    if not any(map(math.isnan, ends)):
        axes.plot(ends, (place, place), color=color, lw=3.5, alpha=0.45, solid_capstyle="butt")
    face = color if found in _COLORS else "white"
    axes.plot(middle, place, marker="o", ms=6.5, mfc=face, mec=color, mew=1.4, ls="")


def _arrow(axes: Axes, place: float, one: Comparison, limits: tuple[float, float], color: str) -> None:
    """Point out of the axes, with the seeds on which higher order and lower order reached the target."""
    left = one.decision.estimate.median == 0
    edge, inner = (limits[0], limits[0] * 1.25) if left else (limits[1], limits[1] / 1.25)
    axes.annotate(
        "", (edge, place), (inner, place), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.6}
    )
    low, high = one.reached
    axes.annotate(
        f"{high} of {one.seeds} : {low} of {one.seeds}", (inner, place), (4 if left else -4, 0),
        textcoords="offset points", ha="left" if left else "right", va="center", fontsize=8.5, color=color,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
    )  # fmt: skip
