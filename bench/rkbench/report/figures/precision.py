"""The figures of initial value problems: error against work, and against time."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rkbench.report import appearance, precision
from rkbench.report.figures import panels, scales
from rkbench.report.figures.style import INK, Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results

Looks = dict[tuple[str, str], appearance.Look]

_ACROSS = 3
"""Panels beside each other."""

_READ = (
    " Each line is one method with ever tighter tolerances, or ever more equal steps: below and to the left is better. "
    "Logarithmic scales; medians over seeds; cells that failed are not drawn."
)
_FIGURES = (
    ("precision_nfe", "nfe", "Error over function evaluations", "evaluations of f", "Evaluations of f in one solve."),
    ("precision_time", "seconds", "Error over time", "time of one solve, ms", "Time of one solve."),
)  # fmt: skip


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the work–precision figures that the run has numbers for."""
    chosen = precision.cells(results.cells)
    style = appearance.of_ladders(chosen["method"], chosen["variant"])
    tasks, fewer_tasks = panels.first(chosen["task"], "problems")
    ladders, fewer_ladders = panels.first(chosen["ladder"], "methods", panels.MOST_SOLVERS)
    shown = chosen[chosen["task"].isin(tasks) & chosen["ladder"].isin(ladders)]
    rungs = precision.rungs(shown)
    for name, column, title, label, caption in _FIGURES:
        if rungs[column].notna().any():
            with styled():
                words = caption + _READ + fewer_tasks + fewer_ladders
                yield Drawing(name, title, words, _panels(rungs, style, column, title, label))


def _panels(rungs: pd.DataFrame, style: Looks, column: str, title: str, label: str) -> Figure:
    tasks = sorted(set(rungs["task"]))
    across = 2 if len(tasks) in (2, 4) else _ACROSS
    figure, grid = panels.grid(len(tasks), across, (6.2 if len(tasks) == 1 else 4.1, 3.6))
    for axes, task in zip(grid, tasks, strict=True):
        _panel(axes, rungs[rungs["task"] == task], style, column)
        axes.set(title=task, xlabel=label, ylabel="error")
    panels.heading(figure, title)
    _legend(figure, style, set(zip(rungs["method"], rungs["variant"], strict=True)))
    return figure


def _panel(axes: Axes, rungs: pd.DataFrame, style: Looks, column: str) -> None:
    for (method, variant), ladder in rungs.groupby(["method", "variant"], sort=False):
        look = style[str(method), str(variant)]
        cost = ladder[column] * (1000 if column == "seconds" else 1)
        axes.plot(
            cost, ladder["error"], color=look.color, ls=linestyle(look), marker=look.marker, lw=1.4, ms=4, alpha=0.85
        )  # fmt: skip
    axes.set(xscale="log", yscale="log")
    plain_log(axes.xaxis, scales.subdivision(*axes.get_xlim()))
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, style: Looks, drawn: set[tuple[str, str]]) -> None:
    """Explain colors and markers by method, and dashes by variant."""
    shown = {pair: look for pair, look in style.items() if pair in drawn}
    methods = {method: look for (method, _), look in reversed(shown.items())}
    variants = {variant: look for (_, variant), look in reversed(shown.items())}
    several, names = len(variants) > 1, appearance.names([*methods, *variants])
    handles = [
        Line2D(
            [], [], color=look.color, ls="-" if several else linestyle(look), marker=look.marker, ms=5,
            label=names[method],
        )
        for method, look in reversed(methods.items())
    ]  # fmt: skip
    if several:
        handles += [
            Line2D([], [], color=INK, ls=linestyle(look), label=names[variant] or "alone")
            for variant, look in sorted(variants.items(), key=lambda item: str(item[1].dashes))
        ]
    figure.legend(handles=handles, loc="outside right upper", fontsize=9, handlelength=3.2)
