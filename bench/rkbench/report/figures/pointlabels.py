"""Names beside points, where they hide neither points nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

_SIZE = 8.5
_AWAY = 7
"""Distance of a name from its point, in points."""
_MARKER = 9
"""Width of what a name must not hide of a point, in pixels."""
_NOTHING = 12
"""What a name may hide, in square pixels, such as where it crosses the end of an error bar."""
_PLACES = (
    ("left", "center", 1, 0), ("right", "center", -1, 0), ("center", "bottom", 0, 1), ("center", "top", 0, -1),
    ("left", "bottom", 0.6, 0.6), ("left", "top", 0.6, -0.6), ("right", "bottom", -0.6, 0.6), ("right", "top", -0.6, -0.6),
    ("left", "bottom", 1, 2), ("left", "top", 1, -2), ("right", "bottom", -1, 2), ("right", "top", -1, -2),
)  # fmt: skip
"""Where a name may stand: its alignment, and how far to the right and above; the first of the best is taken."""


class PointLabel(NamedTuple):
    """A text, its color, the point of the data that it names, and the ends of its error bars, horizontal and vertical."""

    text: str
    color: str
    point: tuple[float, float]
    bars: tuple[tuple[float, float], tuple[float, float]]


def draw(axes: Axes, labels: Sequence[PointLabel]) -> bool:
    """Write every label beside its point, and return whether there is room; nothing is written without.

    Args:
        axes: laid out, with their final scales and limits.
        labels: what to write.
    """
    taken = [box for label in labels for box in _occupied(axes, label)]
    written: list[Annotation] = []
    for label in labels:
        text = axes.annotate(
            label.text, label.point, (0, 0), textcoords="offset points", fontsize=_SIZE, color=label.color
        )
        written.append(text)
        hidden = [_hidden(axes, text, place, taken) for place in _PLACES]
        taken.append(_put(text, _PLACES[hidden.index(min(hidden))]))
        if min(hidden) > _NOTHING:
            for one in written:
                one.remove()
            return False
    return True


def _occupied(axes: Axes, label: PointLabel) -> list[Bbox]:
    """Return the boxes of a marker and of its error bars, in pixels."""
    x, y = axes.transData.transform(label.point)
    (left, right), (low, high) = label.bars
    across = axes.transData.transform([(left, label.point[1]), (right, label.point[1])])[:, 0]
    up = axes.transData.transform([(label.point[0], low), (label.point[0], high)])[:, 1]
    half = _MARKER / 2
    boxes = [Bbox.from_extents(x - half, y - half, x + half, y + half)]
    boxes.append(Bbox.from_extents(across[0], y - 1, across[1], y + 1))
    boxes.append(Bbox.from_extents(x - 1, up[0], x + 1, up[1]))
    return boxes


def _put(text: Annotation, place: tuple[str, str, float, float]) -> Bbox:
    """Move a text to a place and return its box, in pixels."""
    horizontal, vertical, right, above = place
    text.set(ha=horizontal, va=vertical)
    text.xyann = (right * _AWAY, above * _AWAY)
    return text.get_window_extent()


def _hidden(
    axes: Axes, text: Annotation, place: tuple[str, str, float, float], taken: Sequence[Bbox]
) -> float:
    """Return the area, in square pixels, that a text would hide there or have outside the axes."""
    box = _put(text, place)
    shared = [both for other in taken if (both := Bbox.intersection(box, other))]
    inside = Bbox.intersection(box, axes.bbox)
    outside = box.width * box.height - (inside.width * inside.height if inside else 0)
    return outside + sum(both.width * both.height for both in shared)
