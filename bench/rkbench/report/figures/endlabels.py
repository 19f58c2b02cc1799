"""Names of lines beside their ends, which do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

_SIZE = 9
_LEADING = 1.35
"""Distance of the lines of text, in their size."""


class EndLabel(NamedTuple):
    """A text, the point of the data that it names, and the color of the line between them."""

    text: str
    x: float
    y: float
    color: str


def draw(axes: Axes, labels: Sequence[EndLabel], height: float) -> None:
    """Write labels to the right of axes, each as near to the height of its point as the others allow.

    Args:
        axes: with their final scales and limits.
        labels: what to write.
        height: of the axes, in inches, or a little less.
    """
    axes.autoscale_view()  # else the scales still wait for the next drawing
    to_axes = axes.transData + axes.transAxes.inverted()
    points = [to_axes.transform((label.x, label.y)) for label in labels]
    heights = spread([float(y) for _, y in points], _SIZE * _LEADING / (72 * height))
    for label, (x, y), placed in zip(labels, points, heights, strict=True):
        axes.plot(
            [x, 1.0, 1.04], [y, y, placed], transform=axes.transAxes, color=label.color, lw=0.9, clip_on=False,
            zorder=0.5, alpha=0.6,
        )  # fmt: skip
        axes.text(1.05, placed, label.text, transform=axes.transAxes, fontsize=_SIZE, va="center")


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Return places at least a gap apart, in the same order, with the least squares of the ways moved.

    Without gaps this is isotonic regression, solved by pooling neighbours that violate the order (Barlow et al. 1972);
    taking the gaps out beforehand makes it so.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        mean, size = places[i] - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    flat = [mean for mean, size in blocks for _ in range(size)]
    moved = [0.0] * len(places)
    for rank, i in enumerate(order):
        moved[i] = flat[rank] + rank * gap
    return moved
