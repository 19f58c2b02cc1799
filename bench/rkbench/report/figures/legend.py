"""What tells solvers apart in a figure, named at its right."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rkbench.report import appearance
from rkbench.report.figures.style import linestyle

_LEADING = 0.155
"""Height of an entry of a long legend, in inches."""


def draw(
    figure: Figure, style: Mapping[str, appearance.Look], *, lines: bool = True, markers: bool = True
) -> None:
    """Name the looks, each with its line, its marker or both; a figure too low for them grows."""
    many, names = len(style) >= 12, appearance.names(style)
    handles = [
        Line2D(
            [], [], color=look.color, ls=linestyle(look) if lines else "", marker=look.marker if markers else "",
            ms=4.5, label=names[solver],
        )
        for solver, look in style.items()
    ]  # fmt: skip
    figure.set_figheight(max(figure.get_figheight(), 0.4 + _LEADING * len(handles)))
    figure.legend(
        handles=handles, loc="outside right upper", fontsize=7 if many else 9, handlelength=3 if lines else 1
    )
