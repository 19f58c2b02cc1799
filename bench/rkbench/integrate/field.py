"""The right-hand side as the engine calls it: counted, and held to its promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.scheme import Scheme


class Field:
    """f with a counter, and the times it is called at as tensors of the state's dtype and device."""

    def __init__(self, f: Callable[..., Any], y0: Tensor, t0: float, t1: float) -> None:
        self._f = f
        self._like = y0
        self._low, self._high = min(t0, t1), max(t0, t1)
        self.calls = 0

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y).

        Raises:
            SolverError: at the first call, when f does not return a tensor of y's shape and dtype.
        """
        k = self._f(t, y)
        if self.calls == 0:
            self._check(k)
        self.calls += 1
        return k

    def at(self, t: float, y: Tensor) -> Tensor:
        """Return f(t, y) for a Python time."""
        return self(self.times([t])[0], y)

    def times(self, values: Sequence[float]) -> tuple[Tensor, ...]:
        """Return the times as 0-dimensional tensors, none outside [t0, t1], in one transfer."""
        inside = [min(max(t, self._low), self._high) for t in values]
        return torch.tensor(inside, dtype=self._like.dtype, device=self._like.device).unbind()

    def stage_times(self, scheme: Scheme, t: float, h: float) -> dict[int, Tensor]:
        """Return stage -> t + c h for one step."""
        times = self.times([t + c * h for _, c, _ in scheme.stages])
        return {stage: time for (stage, _, _), time in zip(scheme.stages, times, strict=True)}

    def _check(self, k: Any) -> None:
        if not isinstance(k, Tensor):
            raise SolverError(f"f(t, y) returned {type(k).__name__}; return a tensor like y.")
        if k.shape != self._like.shape or k.dtype != self._like.dtype:
            raise SolverError(
                f"f(t, y) returned shape {tuple(k.shape)}, {k.dtype} for a state of shape "
                f"{tuple(self._like.shape)}, {self._like.dtype}; return dy/dt of the same shape and dtype."
            )
