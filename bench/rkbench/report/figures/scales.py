"""The axes of training: costs, and shares that draw near to one."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from rkbench.report.figures.style import INK, plain_log

_LOG_FROM = 4
"""Spread, largest ÷ smallest, from which costs are drawn on a logarithmic axis."""
_BEYOND = 1.0005
"""The share that lies infinitely far away."""
_PERCENTS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)


def costs(axes: Axes, values: Iterable[float]) -> bool:
    """Make the horizontal axis, of times or counts, logarithmic where they spread far; return whether it is."""
    known = np.asarray(list(values), dtype=float)
    known = known[np.isfinite(known) & (known > 0)]
    if known.size and known.max() / known.min() > _LOG_FROM:
        axes.set_xscale("log")
        axes.set_xlim(known.min() / 1.25, known.max() * 1.25)
        plain_log(axes.xaxis, subdivision(*axes.get_xlim()))
        return True
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    return False


def depths(axes: Axes, values: Iterable[float]) -> None:
    """Make the horizontal axis logarithmic, with the numbers of steps that were measured, or plain ones where they crowd."""
    known = np.unique(np.asarray(list(values), dtype=float))
    axes.set_xscale("log")
    if len(known) <= 10 and np.all(known[1:] / known[:-1] > 1.3):
        axes.xaxis.set_major_locator(FixedLocator(list(known)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        plain_log(axes.xaxis)


def epochs(axes: Axes, shown: Iterable[int]) -> None:
    """Number the horizontal axis by whole epochs, with room at both sides of a single one."""
    known = set(shown)
    if len(known) == 1:
        (only,) = known
        axes.set_xlim(only - 0.5, only + 0.5)
        axes.set_xticks([only])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def changes(axes: Axes, values: Iterable[float], one: float) -> None:
    """Make the vertical axis, of answers that changed, logarithmic down to a single one and linear from there to none.

    Args:
        axes: whose vertical axis shows percents.
        values: the percents.
        one: that of a single sample, above 0.
    """
    top = max([one, *(value for value in values if pd.notna(value))])
    axes.set_yscale("symlog", linthresh=one, linscale=0.7)
    axes.set_ylim(-0.3 * one, 1.4 * top)
    ticks = [0.0, *(tick for tick in _PERCENTS if one <= tick <= 1.4 * top)]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def subdivision(low: float, high: float) -> tuple[int, ...]:
    """Return where in every decade a narrow panel has room for a number."""
    decades = math.log10(high / low)
    return (1, 2, 5) if decades < 1.7 else (1, 3) if decades < 3 else (1,)


def accuracy(axes: Axes, values: Iterable[float], whole: float = 1.0) -> None:
    """Stretch the axis towards 100 %, where the differences are: as far apart as the errors are in logarithms.

    Args:
        axes: whose vertical axis shows shares.
        values: the shares.
        whole: the share of everything, 1 or 100.
    """
    shown = [value / whole for value in values if pd.notna(value)]
    if not shown:
        return
    ends = _stretched(np.array([min(shown), max(shown)]))
    pad = max(0.06 * (ends[1] - ends[0]), 0.005)
    bottom, top = np.clip(_shrunk(ends + [-pad, pad]), 0.0, 1.0)
    axes.set_yscale(
        "function",
        functions=(lambda y: _stretched(np.asarray(y) / whole), lambda z: whole * _shrunk(np.asarray(z))),
    )
    axes.set_ylim(whole * bottom, whole * top)
    ticks = [whole * tick for tick in _TICKS if bottom <= tick <= top]
    if len(ticks) >= 3:
        axes.set_yticks(ticks)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value / whole:.4g}"))


def _stretched(share: np.ndarray) -> np.ndarray:
    return -np.log10(np.clip(_BEYOND - share, _BEYOND - 1, None))


def _shrunk(stretched: np.ndarray) -> np.ndarray:
    return _BEYOND - 10.0**-stretched


def score(axes: Axes, values: Iterable[float]) -> None:
    """Make the vertical axis, of scores, logarithmic where they spread far and none is negative."""
    known = np.asarray(list(values), dtype=float)
    known = known[np.isfinite(known)]
    if known.size and known.min() > 0 and known.max() / known.min() > _LOG_FROM:
        axes.set_yscale("log")
        plain_log(axes.yaxis, subdivision(known.min(), known.max()))


def target(axes: Axes, value: float, name: str, *, left: bool) -> None:
    """Draw the target of a task, named where the curves are not: at the left above it, or at the right below."""
    if pd.isna(value):
        return
    axes.axhline(value, color=INK, lw=1, ls=(0, (5, 3)))
    at, offset, side = (0, (4, 3), "left") if left else (1, (-4, -11), "right")
    axes.annotate(
        name, (at, value), offset, xycoords=("axes fraction", "data"),
        textcoords="offset points", ha=side, fontsize=8.5,
    )  # fmt: skip
