"""One benchmark over commits: a line for each set of parameters, its steps marked, and what has no value shown as such."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from rkbench.history import words
from rkbench.history.commits import Commit
from rkbench.history.judged import Judged
from rkbench.history.series import Series
from rkbench.report import appearance
from rkbench.report.figures import legend
from rkbench.report.figures.style import GRID, INK, Drawing, linestyle, styled

CAPTION = (
    "Thin lines and markers are what was measured at each commit; a thick line is a level between steps that are "
    "more than noise, and a dashed vertical one the commit that caused a step. × failed or took too long, ○ does "
    "not apply; both stand at the bottom, since they have no value."
)

_SIZE = (6.6, 2.7)
_TITLE = 28
"""Letters of a title beyond which it would run into the legend."""
_TICKS = 14
"""Commits that are named below a figure, at most."""
_CLOSE = 1.12
"""Least ratio between the ends of the vertical axis and 1, so that noise does not fill it."""
_ROOM = 0.08
"""Room below the values, and half of that above, as a share of their range."""
_PLAIN = (
    1, 2, 0.5, 5, 0.2, 10, 0.1, 1.5, 0.7, 3, 0.3, 20, 0.05, 1.2, 0.8, 1.1, 0.9, 1.3, 0.6, 1.05, 0.95, 1.4, 1.02, 0.98,
)  # fmt: skip
"""Ratios at which the axis may have a tick, the most welcome first."""
_RATIOS = 6
"""Ticks of that axis, at most."""
_DECADES = 50
"""Ratio of its ends from which they are powers of ten."""
_MISSING = {"failed": "x", "not applicable": "o"}


def draw(name: str, judged: Sequence[Judged], commits: Sequence[Commit]) -> Drawing:
    """Return the figure of one benchmark on one machine.

    Args:
        name: of the figure.
        judged: its series, one at least.
        commits: those of the machine, the oldest first.
    """
    benchmark = judged[0].series.benchmark
    relative = len(judged) > 1 and all(point.value > 0 for one in judged for point in one.series.measured)
    with styled():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        places = {commit.hash: place for place, commit in enumerate(commits)}
        looks = appearance.of(one.series.parameters for one in judged)
        for one in judged:
            _series(axes, one, places, looks[one.series.parameters], relative)
        _scale(axes, judged, relative)
        for place, (one, look) in enumerate(zip(judged, looks.values(), strict=True)):
            _missing(axes, one, places, look, 0.04 + 0.05 * (place % 4))
        _steps(axes, judged, places, commits)
        _commits(axes, commits)
        axes.set_title("\n".join(benchmark.rsplit(".", 1)) if len(benchmark) > _TITLE else benchmark)
        if len(judged) > 1:
            legend.draw(figure, looks)
        return Drawing(name, benchmark, CAPTION, figure)


def _series(axes: Axes, one: Judged, places: dict[str, int], look: appearance.Look, relative: bool) -> None:
    known = one.series.measured
    if not known:
        return
    unit = one.levels[0][2] if relative else 1.0
    at = [places[point.commit] for point in known]
    changed = len(one.levels) > 1
    axes.plot(
        at, [point.value / unit for point in known], color=look.color, ls=linestyle(look), marker=look.marker,
        ms=4, lw=0.9, alpha=0.8, zorder=3 if changed else 2,
    )  # fmt: skip
    for start, stop, value in one.levels if changed else ():
        axes.plot(
            [at[start] - 0.3, at[stop - 1] + 0.3], [value / unit] * 2, color=look.color, lw=3.2, alpha=0.55,
            solid_capstyle="round", zorder=4,
        )  # fmt: skip


def _missing(axes: Axes, one: Judged, places: dict[str, int], look: appearance.Look, height: float) -> None:
    """Draw what has no value near the bottom, one series above the other."""
    for state, marker in _MISSING.items():
        at = [places[point.commit] for point in one.series.points if point.state == state]
        axes.plot(
            at, [height] * len(at), transform=axes.get_xaxis_transform(), color=look.color, ls="", marker=marker,
            ms=6, mew=1.8, mfc="none", clip_on=False, zorder=5,
        )  # fmt: skip


def _scale(axes: Axes, judged: Sequence[Judged], relative: bool) -> None:
    series = judged[0].series
    if relative:
        _ratios(axes, [point.value / one.levels[0][2] for one in judged for point in one.series.measured])
        return
    axes.set_ylabel(series.unit or "value")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=series.kind == "exact" and _whole(judged)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(series, value)))
    values = [0.0, *(point.value for one in judged for point in one.series.measured)]
    room = (max(values) - min(values) or 1.0) * _ROOM
    axes.set_ylim(
        min(values) - room * (min(values) < 0 or max(values) == 0 or len(judged) > 1), max(values) + 2 * room
    )


def _ratios(axes: Axes, values: Sequence[float]) -> None:
    """Make the vertical axis logarithmic, of ratios, with room for the names of commits above them."""
    axes.set_ylabel("÷ first level")
    low, high = math.log(min(1 / _CLOSE, *values)), math.log(max(_CLOSE, *values))
    room = (high - low) * _ROOM
    low, high = math.exp(low - room), math.exp(high + 2 * room)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    if high / low > _DECADES:
        axes.yaxis.set_major_locator(LogLocator(numticks=7))
    else:
        axes.set_yticks(_ticks(low, high))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.yaxis.set_minor_locator(NullLocator())


def _ticks(low: float, high: float) -> list[float]:
    """Return plain ratios between two ends, 1 among them, none too near to another."""
    apart = math.log(high / low) / _RATIOS
    found: list[float] = []
    for tick in _PLAIN:
        if low <= tick <= high and all(abs(math.log(tick / other)) >= apart for other in found):
            found.append(tick)
    return sorted(found)


def _tick(series: Series, value: float) -> str:
    return "0" if value == 0 else words.amount(series, value)


def _whole(judged: Sequence[Judged]) -> bool:
    return all(point.value == round(point.value) for one in judged for point in one.series.measured)


def _steps(axes: Axes, judged: Sequence[Judged], places: dict[str, int], commits: Sequence[Commit]) -> None:
    """Draw a line where something changed, named by its commit where there is room."""
    found = sorted({places[change.at] for one in judged for change in one.changes})
    for place in found:
        axes.axvline(place - 0.5, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.7, zorder=1)
    if len(found) <= 4:
        for place in found:
            axes.annotate(
                commits[place].short[:7], (place - 0.5, 1), (3, -2), xycoords=axes.get_xaxis_transform(),
                textcoords="offset points", va="top", fontsize=8, family="monospace",
            )  # fmt: skip


def _commits(axes: Axes, commits: Sequence[Commit]) -> None:
    axes.set_xlim(-0.6, len(commits) - 0.4)
    every = max(1, math.ceil(len(commits) / _TICKS))
    shown = np.arange(len(commits) - 1, -1, -every)[::-1]
    axes.set_xticks(
        list(shown), [commits[place].short[:7] for place in shown], rotation=45, ha="right", rotation_mode="anchor",
        fontsize=8, family="monospace",
    )  # fmt: skip
    axes.grid(False, axis="x")
    axes.tick_params(axis="x", color=GRID)
