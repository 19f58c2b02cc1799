"""One solve: its problem checked, and sent along its road to the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.adjoint import adjoint_solve
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.checkpoint import checkpoint_road
from rkbench.integrate.gradients.interpolated import interpolated_solve
from rkbench.integrate.gradients.moving_times import Moved, Time, moved_outputs, moves, value
from rkbench.integrate.gradients.problem import Problem
from rkbench.integrate.gradients.replay import replay_solve
from rkbench.integrate.irregular import irregular_solve
from rkbench.integrate.output import Outputs, checked_times
from rkbench.integrate.own_spans import are_own
from rkbench.integrate.per_sample import at_rest
from rkbench.integrate.walk import walk
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver

WHOLE = {
    "segments": replay_solve,
    "binomial": replay_solve,
    "adjoint": adjoint_solve,
    "interpolated": interpolated_solve,
}
"""The roads that take over the whole solve, and not only its steps."""


def integrate(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[Any],
    t_eval: Sequence[Any] | None = None,
) -> Solution:
    """Run one solve; see `NativeEngine.solve`."""
    if not isinstance(y0, Tensor) or not y0.is_floating_point():
        what = y0.dtype if isinstance(y0, Tensor) else type(y0).__name__
        raise SolverError(f"y0 must be a tensor of a real floating dtype, not {what}; use y0.float(), say.")
    if are_own((*t_span, *(t_eval if t_eval is not None else ()))):
        return irregular_solve(solver, f, y0, t_span, t_eval, integrate)
    if torch.is_grad_enabled() and any(map(moves, (*t_span, *(t_eval if t_eval is not None else ())))):
        return _moving(solver, f, y0, t_span, t_eval)
    t0, t1, times = checked_times(t_span, t_eval)
    if t0 == t1:
        samples = at_rest(y0, t1) if solver.control == "sample" else None
        return Solution(times, Outputs(t0, t1, times, y0).stacked(y0), Stats(), (), t1, samples=samples)
    # Without a gradient to come, all roads are the same.
    gradient = solver.gradient if torch.is_grad_enabled() else "backprop"
    if gradient in WHOLE:
        return WHOLE[gradient](Problem(solver, f, t0, t1, times), y0)
    road = checkpoint_road(f) if gradient == "checkpoint" else BACKPROP
    return walk(solver, Field(f, y0, t0, t1), y0, t0, t1, times, road)


def _moving(
    solver: Solver, f: Callable[..., Any], y0: Tensor, t_span: Sequence[Time], t_eval: Sequence[Time] | None
) -> Solution:
    """Run one solve, with gradients to its times."""
    span, times = tuple(map(value, t_span)), None if t_eval is None else tuple(map(value, t_eval))
    checked_times(span, times)
    moved = Moved(f, t_span, y0)
    solution = integrate(solver, moved if any(map(moves, t_span)) else f, y0, span, times)
    return moved_outputs(solution, moved, t_span if t_eval is None else t_eval)
