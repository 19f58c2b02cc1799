"""Solves to look at: on a family of curves with known ends, with f under observation."""

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

SHIFTS = torch.linspace(0.5, 0.9, 32, dtype=torch.float64)
"""Starting times on the solution of the coupled problem. One curve alone has step sizes at which its leading
error changes sign, and an order of nonsense is read off there; 32 of them do not agree on one."""

SPAN = (0.0, 0.5)


def family(t: Tensor, y: Tensor) -> Tensor:
    """The coupled problem from 32 starting times at once: y is [4, 32]."""
    return COUPLED.f(t + SHIFTS.to(y.dtype), y)


def family_state(t: float) -> Tensor:
    """Return the exact solution at ``t``, [4, 32] in float64."""
    return torch.tensor([coupled_solution(t + float(shift)) for shift in SHIFTS], dtype=torch.float64).T


class Observed:
    """f under observation: how often it is called, when, and with what."""

    def __init__(self, f: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._f = f
        self.times: list[float] = []
        self.dtypes: set[torch.dtype] = set()

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Take a note, and return f(t, y)."""
        self.times.append(float(t))
        self.dtypes |= {t.dtype, y.dtype}
        return self._f(t, y)

    @property
    def calls(self) -> int:
        """How often f was called."""
        return len(self.times)


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
