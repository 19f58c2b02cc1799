"""Solves to look at: on a family of curves with known ends, with f under observation.

Every f here has a twin, so that an engine that asks for one is looked at as any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rkbench.interface import make_solver
from rkbench.problems.closed import COUPLED, coupled_solution
from rkbench.registry import Registry
from rkbench.solution import Solution
from rkbench.twin import Twin, reporting

SHIFTS = torch.linspace(0.5, 0.9, 32, dtype=torch.float64)
"""Starting times on the solution of the coupled problem. One curve alone has step sizes at which its leading
error changes sign, and an order of nonsense is read off there; 32 of them do not agree on one."""

SPAN = (0.0, 0.5)


class InBoth:
    """An f in both frameworks.

    Args:
        ours: ``f(t, y)`` in torch.
        theirs: ``function(t, y, *tensors)`` in terms of jax.numpy.
        tensors: what ``theirs`` takes besides t and y.
    """

    def __init__(
        self, ours: Callable[[Tensor, Tensor], Tensor], theirs: Callable[..., Any], *tensors: Tensor
    ) -> None:
        self._ours, self._theirs, self._tensors = ours, theirs, tensors

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y)."""
        return self._ours(t, y)

    def twin(self) -> Twin:
        """Return the same f in JAX."""
        return Twin(self, self._theirs, self._tensors)


def _family(t: Tensor, y: Tensor) -> Tensor:
    return COUPLED.f(t + SHIFTS.to(y.dtype), y)


def _family_in_jax(t: Any, y: Any, shifts: Any) -> Any:
    from jax import numpy  # pyright: ignore[reportMissingImports]

    (y1, y2, y3, y4), t = y, t + shifts
    return numpy.stack(
        [
            2 * t * y2**0.2 * y4,
            10 * t * numpy.exp(5 * (y3 - 1)) * y4,
            2 * t * y4,
            -2 * t * numpy.log(y1),
        ]
    )


family = InBoth(_family, _family_in_jax, SHIFTS)
"""The coupled problem from 32 starting times at once: y is [4, 32]."""


def _nan(t: Any, y: Any) -> Any:
    return y * math.nan


broken = InBoth(_nan, _nan)
"""NaN, wherever it is asked for."""


def family_state(t: float) -> Tensor:
    """Return the exact solution at ``t``, [4, 32] in float64."""
    return torch.tensor([coupled_solution(t + float(shift)) for shift in SHIFTS], dtype=torch.float64).T


class Observed:
    """f under observation: how often it is called, when, and with what.

    Attributes:
        calls: how often it was called, in either framework; see `settle`.
        vjps: how many vector-Jacobian products its twin took.
        times: when it was called.
        dtypes: with what.
    """

    def __init__(self, f: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._f = f
        self.calls = self.vjps = 0
        self.times: list[float] = []
        self.dtypes: set[torch.dtype] = set()

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Take a note, and return f(t, y)."""
        self.calls += 1
        self.times += t.detach().flatten().tolist()
        self.dtypes |= {t.dtype, y.dtype}
        return self._f(t, y)

    def twin(self) -> Twin | None:
        """Return f in another framework, if it is there, with its calls counted."""
        twin: Twin | None = getattr(self._f, "twin", lambda: None)()
        return None if twin is None else reporting(twin, self)


def run(
    method: Any,
    f: Callable[[Tensor, Tensor], Tensor],
    y0: Tensor,
    t_span: tuple[float, float],
    registry: Registry,
    **options: Any,
) -> Solution:
    """Solve with names looked up in ``registry``."""
    solver = make_solver(method, plugins=registry, **options)
    return solver.engine.solve(solver, f, y0, t_span)


def ways(method: Any) -> dict[str, dict[str, Any]]:
    """Return the kinds of solve a method can do, by name, as options."""
    fixed = {"equal steps": {"steps": 7}}
    return fixed | {"adaptive": {"rtol": 1e-5, "atol": 1e-7}} if method.adaptive else fixed


def rms(error: Tensor) -> float:
    """Return the root mean square."""
    return float(error.square().mean().sqrt())


def distance(a: Tensor, b: Tensor) -> float:
    """Return the largest difference relative to the size of ``b`` or 1, NaN when either has one."""
    return float((a - b).abs().max() / max(1.0, float(b.abs().max())))


def slope(coarse: float, fine: float, ratio: float = 2.0) -> float:
    """Return the power of h between two errors whose step sizes have the given ratio."""
    return math.log(coarse / fine, ratio)
