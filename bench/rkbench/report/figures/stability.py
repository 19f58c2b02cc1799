"""The stability region of every tableau of a run, those that share theirs in one panel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rkbench.report import appearance
from rkbench.report.figures import panels
from rkbench.report.figures.style import INK, Drawing, styled
from rkbench.report.results import Results

_MOST = 30
"""Regions of one figure, which are small."""
_ALIKE = 1e-12
_TOUCHING = 1e-9
"""By how much rounding may lift |R| above 1 where it only touches it."""
_COLOR = "#0072B2"
_SHADES = ((0.5, 0.25), (0.1, 0.3))
"""|R| below which a shade is laid over the others, and how much it covers them."""
_GRID = 151
_FAR = 2.5
"""How far beyond the median of all a region may reach without a scale of its own."""

_TITLE = "Stability regions"
_READ = (
    "On y' = λy a step of size h multiplies y by R(z), z = hλ; shaded: where it damps, |R(z)| ≤ 1, darker below ½ and "
    "below 0.1. Methods in one panel have the same R. A step of more stages costs more. All panels have one scale"
)


class _Region(NamedTuple):
    """The methods that share a stability polynomial, its coefficients from 1 on, and what else is known of them."""

    methods: tuple[str, ...]
    polynomial: tuple[float, ...]
    order: int
    stages: tuple[int, ...]

    @property
    def reach(self) -> float:
        """How far the region goes from 0."""
        return float(np.abs(_outline(self.polynomial)).max())


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the regions of the methods that the manifest describes, those that the run has cells of."""
    known, ran = results.manifest.get("methods", {}), dict.fromkeys(results.cells["method"])
    regions = _regions({name: known[name] for name in ran if name in known})
    if not regions:
        return
    shown, fewer = panels.first(regions, "regions", _MOST)
    usual = _FAR * float(np.median([region.reach for region in shown]))
    far = [region for region in shown if region.reach > usual]
    but = " but those that say so." if far else "."
    with styled():
        yield Drawing("stability", _TITLE, _READ + but + fewer, _figure(shown, far))


def _regions(methods: dict[str, dict[str, Any]]) -> list[_Region]:
    """Return the different regions, by growing order and number of stages."""
    found: list[_Region] = []
    for name, one in methods.items():
        polynomial = tuple(one["stability"])
        for place, region in enumerate(found):
            if len(region.polynomial) == len(polynomial) and np.allclose(
                region.polynomial, polynomial, rtol=_ALIKE, atol=0
            ):
                found[place] = region._replace(
                    methods=(*region.methods, name), stages=(*region.stages, one["stages"])
                )
                break
        else:
            found.append(_Region((name,), polynomial, one["order"], (one["stages"],)))
    return sorted(found, key=lambda region: (region.order, min(region.stages)))


def _outline(polynomial: tuple[float, ...]) -> np.ndarray:
    """Return where rays into the left half plane leave the region for the first time, as complex numbers."""
    rays = np.exp(1j * np.linspace(math.pi / 2 + 0.02, math.pi, 60))
    # No explicit method of s stages is stable beyond -2 s² (Hairer & Wanner II, theorem IV.2.12).
    far = np.geomspace(0.05, 2.2 * max(1, len(polynomial) - 1) ** 2, 1200)
    outside = np.abs(_at(polynomial, rays[:, None] * far)) > 1 + _TOUCHING
    first = np.where(outside.any(axis=1), outside.argmax(axis=1), len(far) - 1)
    return rays * far[first]


def _at(polynomial: tuple[float, ...], z: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.polynomial.polynomial.polyval(z, polynomial)


def _figure(regions: list[_Region], far: list[_Region]) -> Figure:
    across = min(5, max(2, math.ceil(math.sqrt(len(regions)))))
    figure, grid = panels.grid(len(regions), across, (3.1, 3.6) if len(regions) < 3 else (2.25, 2.6))
    shared = _frame([region for region in regions if region not in far])
    names = appearance.names(name for region in regions for name in region.methods)
    for place, (axes, region) in enumerate(zip(grid, regions, strict=True)):
        own = region in far
        _panel(axes, region, _frame([region]) if own else shared)
        axes.set_title(_heading(region, names) + ", own scale" * own, fontsize=9)
        axes.set_ylabel("Im z" if place % across == 0 else "")
        axes.set_xlabel("Re z" if place + across >= len(regions) else "")
    panels.heading(figure, _TITLE)
    return figure


def _frame(regions: list[_Region]) -> tuple[float, float, float]:
    """Return the left and right end and the height of what shows the regions, which reach a little to the right of 0."""
    ends = np.concatenate([_outline(region.polynomial) for region in regions])
    left, top = float(np.real(ends).min()), float(np.imag(ends).max())
    pad = 0.12 * max(-left, top)
    return left - pad, max(3 * pad, 0.25 * top), top + 1.5 * pad


def _panel(axes: Axes, region: _Region, frame: tuple[float, float, float]) -> None:
    left, right, top = frame
    x, y = np.meshgrid(np.linspace(left, right, _GRID), np.linspace(-top, top, _GRID))
    size = np.abs(_at(region.polynomial, x + 1j * y))
    axes.contourf(x, y, size, levels=[-1, 1], colors=[_COLOR], alpha=0.2)
    axes.contour(x, y, size, levels=[1], colors=[_COLOR], linewidths=1.3)
    for level, alpha in _SHADES:
        axes.contourf(x, y, size, levels=[-1, level], colors=[_COLOR], alpha=alpha)
    axes.axhline(0, color=INK, lw=0.6)
    axes.axvline(0, color=INK, lw=0.6)
    axes.set_aspect("equal")
    axes.set(xlim=(left, right), ylim=(-top, top))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=top > 2))


def _heading(region: _Region, names: dict[str, str]) -> str:
    """Return the names of the methods, two in a line, and their order and stages."""
    shown = [names[method] for method in region.methods]
    lines = [", ".join(shown[i : i + 2]) for i in range(0, len(shown), 2)]
    stages = " or ".join(map(str, sorted(set(region.stages))))
    return "\n".join([*lines, f"order {region.order}, {stages} {'stage' if stages == '1' else 'stages'}"])
