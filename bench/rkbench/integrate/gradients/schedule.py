"""In which order to go back over steps of which only some states are kept: pure, and known before any of it is done.

A plan is a list of actions that walks from the last step to the first. Taking a step back needs the state it began
at, and where that was not kept, it is computed again from the nearest one before it that was. With c snapshots the
fewest such steps are those of binomial checkpointing (Griewank & Walther 2000, doi:10.1145/347837.347846).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import comb
from typing import Literal, NamedTuple


class Action(NamedTuple):
    """One thing to do at the step, or the state, of that number.

    ``restore``: take the kept state as the current one. ``advance``: take the step again, without a gradient.
    ``store``: keep the current state. ``reverse``: take the step again and pull the gradient through it.
    ``discard``: let go of the kept state.
    """

    verb: Literal["restore", "advance", "store", "reverse", "discard"]
    step: int


Slots = Callable[[int, int], int]
"""(snapshots before this one, steps from here) -> how many states may be kept on the way, this one included."""


def way_back(kept: Sequence[int], steps: int, slots: Slots) -> Iterator[Action]:
    """Yield how to go back from step ``steps`` to 0, starting with the states ``kept`` (ascending, from 0 on)."""
    for i, (start, end) in reversed(list(enumerate(pairwise([*kept, steps])))):
        yield from binomial(start, end, slots(i, end - start))
        if start:
            yield Action("discard", start)


def binomial(start: int, end: int, snapshots: int) -> Iterator[Action]:
    """Yield how to go back from ``end`` to ``start``, keeping at most ``snapshots`` states; ``start`` is one of them."""
    stretches = [(start, end)]
    while stretches:
        first, last = stretches.pop()
        free = snapshots - len(stretches)  # each stretch yet to come begins at a kept state
        if last - first > 1 and free > 1:
            middle = first + _first_stretch(last - first, free)
            yield from _forward(first, middle)
            yield Action("store", middle)
            stretches += [(first, middle), (middle, last)]
            continue
        for step in reversed(range(first, last)):
            yield from _forward(first, step)
            yield Action("reverse", step)
        if first != start:
            yield Action("discard", first)


def _forward(start: int, end: int) -> Iterator[Action]:
    yield Action("restore", start)
    yield from (Action("advance", step) for step in range(start, end))


def snapshot_steps(steps: int, snapshots: int) -> tuple[int, ...]:
    """Return the states that the best plan keeps on its first way forth."""
    kept = [0]
    while steps - kept[-1] > 1 and len(kept) < snapshots:
        kept.append(kept[-1] + _first_stretch(steps - kept[-1], snapshots - len(kept) + 1))
    return tuple(kept)


def fewest_advances(steps: int, snapshots: int) -> int:
    """Return the least steps without a gradient that lead back over ``steps`` steps: r N - C(c + r, c + 1).

    The first way forth is among them, except for its last step.
    """
    r = _repetitions(steps, snapshots)
    return r * steps - comb(snapshots + r, snapshots + 1)


def _first_stretch(steps: int, snapshots: int) -> int:
    """Return how far on to keep the next state: the farthest of the equally good choices."""
    r = _repetitions(steps, snapshots)
    return min(comb(snapshots + r - 1, snapshots), steps - comb(snapshots + r - 2, snapshots - 1))


def _repetitions(steps: int, snapshots: int) -> int:
    """Return the least r with steps <= C(c + r, c): no step is then taken more than r times without a gradient."""
    r = 0
    while comb(snapshots + r, snapshots) < steps:
        r += 1
    return r
