"""The continuous adjoint: the gradient of the problem, not of the steps, from a second solve back in time.

Memory does not grow with the number of steps. The gradient is off by about the tolerance, and the state that is
integrated back drifts from the one that was computed; at each output time it starts anew (Chen et al. 2018,
arXiv:1806.07366). The parameter gradient is a quadrature, which the error control leaves out unless
``seminorm=False`` (Kidger et al. 2021, arXiv:2009.09457).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolveError, SolverError
from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.error import NORM
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid, reversed_part
from rkbench.integrate.gradients.augmented import Augmented
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.buffers import buffers_of, unchanged
from rkbench.integrate.gradients.leaves import parameters_of
from rkbench.integrate.output import Outputs
from rkbench.integrate.scheme import scheme
from rkbench.integrate.walk import walk
from rkbench.solution import Solution, Status
from rkbench.solver import Solver


@dataclass(frozen=True)
class Problem:
    """What is solved forth and back."""

    solver: Solver
    f: Callable[..., Any]
    t0: float
    t1: float
    times: tuple[float, ...]


def adjoint_solve(problem: Problem, y0: Tensor) -> Solution:
    """Solve without a graph, and tell autograd the way back; that adds what it costs to ``solution.stats``.

    The parameters are those found in the graph of f(t0, y0), which then is the first evaluation of the solve.

    Raises:
        SolverError: f draws random numbers, so that the way back would meet another f.
    """
    before = _random_state(y0)
    slope = Field(problem.f, y0, problem.t0, problem.t1).at(problem.t0, y0.detach())
    if not torch.equal(before, _random_state(y0)):
        raise SolverError(
            "f draws random numbers (dropout, say), so that the way back would meet another f; use "
            "gradient='checkpoint', which draws them again, or call f.eval()."
        )
    y, solution = _Adjoint.apply(problem, slope.detach(), y0, *parameters_of(problem.f, slope))
    return replace(solution, y=y)


def _random_state(y: Tensor) -> Tensor:
    return torch.cuda.get_rng_state(y.device) if y.is_cuda else torch.get_rng_state()


class _Adjoint(torch.autograd.Function):
    """(y0, parameters) -> states at the output times."""

    @staticmethod
    def forward(
        ctx: Any, problem: Problem, slope: Tensor, y0: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Solution]:
        solution = _forth(problem, slope, y0.detach())
        ctx.problem, ctx.stats, ctx.t_reached = problem, solution.stats, solution.t_reached
        ctx.save_for_backward(solution.y, *parameters)
        return solution.y, solution

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph=True
            raise SolverError("The adjoint cannot be differentiated again; use gradient='checkpoint'.")
        y, *parameters = ctx.saved_tensors
        grad: Tensor = grads[0]
        system = Augmented(ctx.problem.f, parameters, grad, ctx.stats)
        with unchanged(buffers_of(ctx.problem.f)):
            a, g = _back(ctx.problem, system, y, grad, ctx.t_reached)
        return None, None, a, *system.gradients(g)


def _forth(problem: Problem, slope: Tensor, y0: Tensor) -> Solution:
    """Solve from t0 to t1, with f(t0, y0) known."""
    solver, f = problem.solver, problem.f
    begins_there = solver.adaptive or scheme(solver.method, False, False).starts_at_t
    known = [slope] if begins_there else []

    def continued(t: Tensor, y: Tensor) -> Tensor:
        return known.pop() if known else f(t, y)

    field = Field(continued, y0, problem.t0, problem.t1)
    solution = walk(solver, field, y0, problem.t0, problem.t1, problem.times, BACKPROP)
    if not begins_there:
        solution.stats.nfe_start += 1
    return solution


def _back(
    problem: Problem, system: Augmented, y: Tensor, grad: Tensor, t_reached: float
) -> tuple[Tensor, Tensor]:
    """Return dL/dy0, and dL/dθ as one vector.

    Args:
        problem: what was solved.
        system: what is solved now.
        y: the states at the output times.
        grad: dL/dy, like ``y``.
        t_reached: where the solve ended; output times beyond it hold nothing to differentiate.
    """
    a, g = grad.new_zeros(grad.shape[1:]), system.no_gradient(grad)
    starts = (problem.t0, *problem.times)
    reached = [i for i, t in enumerate(problem.times) if abs(t - problem.t0) <= abs(t_reached - problem.t0)]
    for i in reversed(reached):
        a = a + grad[i]
        if problem.times[i] != starts[i]:
            v = _leg(problem, system, problem.times[i], starts[i], system.join(y[i], a, g))
            _, a, g = system.parts(v)
    return a, g


def _leg(problem: Problem, system: Augmented, start: float, end: float, v: Tensor) -> Tensor:
    """Return (y, a, g) at ``end``; equal steps go back as they came.

    Raises:
        SolveError: an adaptive solve did not get there.
    """
    solver = problem.solver
    field, outputs = Field(system, v, start, end), Outputs(start, end, (end,), v)
    if not solver.adaptive:
        times = reversed_part(grid(solver, problem.t0, problem.t1), start, end)
        return fixed_loop(solver.method, field, v, times, outputs).y[0]
    rtol, atol = solver.adjoint_tolerances
    back = replace(solver, rtol=rtol, atol=atol, adjoint_rtol=None, adjoint_atol=None, seminorm=True)
    norm = system.norm(NORM[solver.norm], solver.seminorm)
    solution = AdaptiveSolve(back, field, v, start, end, outputs, norm=norm).run()
    if solution.ended is not Status.OK:
        raise SolveError(solution, f"The adjoint, solved back from t = {start:g}: {solution.sentence}")
    return solution.y[0]
