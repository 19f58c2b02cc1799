"""Which states a solve keeps on its way forth, often without knowing how many steps it will take."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import ceil, isqrt
from typing import Generic, TypeVar

from rkbench.integrate.gradients.schedule import Slots, snapshot_steps

S = TypeVar("S")


class Snapshots(Generic[S]):
    """States by their step: all that are offered and wanted, thinned evenly whenever they become too many.

    Args:
        most: (step, stride of what is kept) -> how many states may be kept by then.
        wanted: keeps only these steps; all unless given.
    """

    def __init__(self, most: Callable[[int, int], int], wanted: Collection[int] | None = None) -> None:
        self._most, self._stride, self._wanted = most, 1, wanted
        self.kept: dict[int, S] = {}

    def offer(self, step: int, state: S) -> None:
        """Keep the state at the start of ``step``, or not."""
        if step % self._stride or not (self._wanted is None or step in self._wanted):
            return
        self.kept[step] = state
        while len(self.kept) > self._most(step, self._stride):
            self._stride *= 2
            self.kept = {n: kept for n, kept in self.kept.items() if n % self._stride == 0}


@dataclass(frozen=True)
class Keeping:
    """A rule for the states between the steps.

    Attributes:
        forth: (steps, None if unknown; snapshots asked for) -> what to keep on the way forth.
        back: (steps, snapshots asked for) -> how many states may be kept at a time on the way back.
    """

    forth: Callable[[int | None, int | None], Snapshots]
    back: Callable[[int, int | None], Slots]


def _segments_forth(steps: int | None, asked: int | None) -> Snapshots:
    if steps is None:  # so many segments of that length: both grow like √N
        return Snapshots(lambda step, stride: asked or 2 * stride)
    wanted = range(0, steps, ceil(steps / (asked or isqrt(steps - 1) + 1)))
    return Snapshots(lambda step, stride: len(wanted), wanted)


def _segments_back(steps: int, asked: int | None) -> Slots:
    return lambda before, length: length


def _binomial_forth(steps: int | None, asked: int | None) -> Snapshots:
    if steps is None:
        return Snapshots(lambda step, stride: asked or (step + 1).bit_length())
    most = asked or steps.bit_length()
    return Snapshots(lambda step, stride: most, snapshot_steps(steps, most))


def _binomial_back(steps: int, asked: int | None) -> Slots:
    return lambda before, length: max(1, (asked or steps.bit_length()) - before)


SEGMENTS = Keeping(_segments_forth, _segments_back)
"""About √N states forth; back, the states of one segment at a time."""

BINOMIAL = Keeping(_binomial_forth, _binomial_back)
"""About log2 N states at any time. Where N is unknown on the way forth, these lie evenly, not binomially."""
