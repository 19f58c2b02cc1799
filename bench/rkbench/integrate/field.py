"""The right-hand side as the engine calls it: counted, and held to its promise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.scheme import Scheme

BLOCK = 100
"""Steps whose times go to the device together."""


class Field:
    """f with a counter, and the times it is called at as tensors of the state's dtype and device."""

    def __init__(self, f: Callable[..., Any], y0: Tensor, t0: float, t1: float) -> None:
        self.bare = f
        self._like = y0
        self._low, self._high = min(t0, t1), max(t0, t1)
        self.calls = 0

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y).

        Raises:
            SolverError: at the first call, when f does not return a tensor of y's shape and dtype.
        """
        k = self.bare(t, y)
        if self.calls == 0:
            checked(k, y)
        self.calls += 1
        return k

    def count(self, calls: int) -> None:
        """Add calls that were made elsewhere, by a graph that f was compiled into."""
        self.calls += calls

    def at(self, t: float, y: Tensor) -> Tensor:
        """Return f(t, y) for a Python time."""
        return self(self.times([t])[0], y)

    def times(self, values: Sequence[float]) -> tuple[Tensor, ...]:
        """Return the times as 0-dimensional tensors, none outside [t0, t1], in one transfer."""
        return torch.tensor(self.inside(values), dtype=self._like.dtype, device=self._like.device).unbind()

    def inside(self, values: Sequence[float]) -> list[float]:
        """Return the times, those beyond t0 or t1 by round-off moved there."""
        if min(values) >= self._low and max(values) <= self._high:
            return list(values)
        return [min(max(t, self._low), self._high) for t in values]

    def clock(self, scheme: Scheme, times: Sequence[float]) -> Iterator[dict[int, Tensor]]:
        """Yield stage -> t + c h for each step between ``times``, a block of steps in one transfer."""
        for block in _blocks(list(itertools.pairwise(times))):
            inside = [t + c * (end - t) for t, end in block for _, c, _ in scheme.stages]
            stages = iter(self.times(inside))
            for _ in block:
                yield {stage: next(stages) for stage, _, _ in scheme.stages}

    def stage_times(self, scheme: Scheme, t: float, h: float) -> dict[int, Tensor]:
        """Return stage -> t + c h for one step."""
        times = self.times([t + c * h for _, c, _ in scheme.stages])
        return {stage: time for (stage, _, _), time in zip(scheme.stages, times, strict=True)}


def checked(k: Any, y: Tensor) -> Tensor:
    """Return ``k``, what f returned for the state ``y``.

    Raises:
        SolverError: it is not a tensor of y's shape and dtype.
    """
    if not isinstance(k, Tensor):
        raise SolverError(f"f(t, y) returned {type(k).__name__}; return a tensor like y.")
    if k.shape != y.shape or k.dtype != y.dtype:
        raise SolverError(
            f"f(t, y) returned shape {tuple(k.shape)}, {k.dtype} for a state of shape "
            f"{tuple(y.shape)}, {y.dtype}; return dy/dt of the same shape and dtype."
        )
    return k


def _blocks(steps: list[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    for i in range(0, len(steps), BLOCK):
        yield steps[i : i + BLOCK]
