"""Minor ticks, an artist for all of an axis: as matplotlib makes them, each is six, and half the time of a figure theirs."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.ticker import NullFormatter, NullLocator

_SIDES: dict[str, tuple[str, Any]] = {"x": ("bottom", TICKDOWN), "y": ("left", TICKLEFT)}


def flatten(figure: Figure) -> None:
    """Replace the minor ticks without numbers by marks that look the same, at the limits that the axes have by now."""
    every = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    plain = [axis for axis in every if isinstance(axis.get_minor_formatter(), NullFormatter)]
    for axis in plain:
        places = _places(axis)
        side, _ = _SIDES[axis.axis_name]
        if places.size and axis.get_tick_params(which="minor").get(side, True):
            axis.axes.add_artist(_marks(axis, places))
    # Only now, since axes that share an axis share its locator.
    for axis in plain:
        axis.set_minor_locator(NullLocator())


def _places(axis: Any) -> np.ndarray:
    """Return where an axis has minor ticks within its limits."""
    low, high = sorted(axis.get_view_interval())
    places = np.asarray(axis.get_minorticklocs(), dtype=float)
    return places[(places >= low) & (places <= high)]


def _marks(axis: Any, places: np.ndarray) -> Line2D:
    name, settings = axis.axis_name, cast(dict[str, Any], rcParams)
    across = axis.axes.get_xaxis_transform if name == "x" else axis.axes.get_yaxis_transform
    edge = np.zeros_like(places)
    marks = Line2D(
        *((places, edge) if name == "x" else (edge, places)), transform=across(which="tick1"), ls="", clip_on=False,
        marker=_SIDES[name][1], ms=settings[f"{name}tick.minor.size"], mew=settings[f"{name}tick.minor.width"],
        color=settings[f"{name}tick.color"], zorder=axis.get_zorder(),
    )  # fmt: skip
    marks.set_in_layout(False)  # as ticks are not
    return marks
