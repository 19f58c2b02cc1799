"""One solve: its problem checked, and sent along its road to the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.adjoint import Problem, adjoint_solve
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.checkpoint import checkpoint_road
from rkbench.integrate.output import Outputs, checked_times
from rkbench.integrate.walk import walk
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver


def integrate(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[float],
    t_eval: Sequence[float] | None = None,
) -> Solution:
    """Run one solve; see `NativeEngine.solve`."""
    if not isinstance(y0, Tensor) or not y0.is_floating_point():
        what = y0.dtype if isinstance(y0, Tensor) else type(y0).__name__
        raise SolverError(f"y0 must be a tensor of a real floating dtype, not {what}; use y0.float(), say.")
    t0, t1, times = checked_times(t_span, t_eval)
    if t0 == t1:
        return Solution(times, Outputs(t0, t1, times, y0).stacked(y0), Stats(), (), t1)
    # Without a gradient to come, all roads are the same.
    gradient = solver.gradient if torch.is_grad_enabled() else "backprop"
    if gradient == "adjoint":
        return adjoint_solve(Problem(solver, f, t0, t1, times), y0)
    road = checkpoint_road(f) if gradient == "checkpoint" else BACKPROP
    return walk(solver, Field(f, y0, t0, t1), y0, t0, t1, times, road)
