"""The stability region of every method of a run, all at one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rkbench.report import looks
from rkbench.report.figures.style import INK, Drawing, styled
from rkbench.report.results import Results

_ACROSS, _MOST = 4, 16
_LEFT, _RIGHT, _TOP, _DOTS = -6.5, 2.0, 5.5, 220

_CAPTION = (
    "Where |R(z)| ≤ 1, z = hλ: on y' = λy a step of size h does not grow what it should damp. All panels have one scale; "
    "regions beyond it are cut."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the regions of the methods that the manifest tells the stability polynomial of."""
    told: Mapping[str, Any] = results.manifest.get("methods") or {}
    methods = [name for name in dict.fromkeys(results.cells["method"]) if name in told]
    if methods:
        more = len(methods) - _MOST
        caption = _CAPTION + (f" {more} more methods are not drawn." if more > 0 else "")
        with styled():
            figure = _panels({name: told[name] for name in methods[:_MOST]})
            yield Drawing("stability", "Stability regions", caption, figure)


def _panels(methods: Mapping[str, Any]) -> Figure:
    across = min(_ACROSS, len(methods))
    down = math.ceil(len(methods) / across)
    figure = Figure(figsize=(2.5 * across, 2.9 * down + 0.4), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    colors = looks.of(methods)
    for axes, (name, facts) in zip(grid.ravel(), methods.items(), strict=False):
        _panel(axes, facts["stability"], colors[name].color)
        axes.set_title(f"{looks.name(name)}\norder {facts['order']}, {facts['stages']} stages", fontsize=9)
    for axes in grid.ravel()[len(methods) :]:
        axes.remove()
    figure.suptitle("Stability regions", x=0.01, ha="left", weight="bold")
    figure.supxlabel("Re z", fontsize=10)
    figure.supylabel("Im z", fontsize=10)
    return figure


def _panel(axes: Axes, coefficients: list[float], color: str) -> None:
    x, y = np.meshgrid(np.linspace(_LEFT, _RIGHT, _DOTS), np.linspace(-_TOP, _TOP, _DOTS))
    size = np.abs(np.polynomial.polynomial.polyval(x + 1j * y, np.asarray(coefficients)))
    axes.contourf(x, y, size, levels=[0, 1], colors=[color], alpha=0.28)
    axes.contour(x, y, size, levels=[1], colors=[color], linewidths=1.4)
    for line in (axes.axhline, axes.axvline):
        line(0, color=INK, lw=0.7, alpha=0.6)
    axes.set_aspect("equal")
    axes.set(xlim=(_LEFT, _RIGHT), ylim=(-_TOP, _TOP), xticks=(-6, -4, -2, 0, 2), yticks=(-4, -2, 0, 2, 4))
