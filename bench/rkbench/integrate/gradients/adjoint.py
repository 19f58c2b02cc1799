"""The continuous adjoint: the gradient of the problem, not of the steps, from a second solve back in time.

Memory does not grow with the number of steps. The gradient is off by about the tolerance, and the state that is
integrated back drifts from the one that was computed; at each output time it starts anew (Chen et al. 2018,
arXiv:1806.07366). The parameter gradient is a quadrature, which the error control leaves out unless
``seminorm=False`` (Kidger et al. 2021, arXiv:2009.09457).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.gradients.again import again
from rkbench.integrate.gradients.augmented import Augmented
from rkbench.integrate.gradients.backwards import solve_back
from rkbench.integrate.gradients.problem import Opening, Problem, no_draws, opened, refuse_second_derivative
from rkbench.integrate.gradients.tape import Recorder
from rkbench.solution import Solution


def adjoint_solve(problem: Problem, y0: Tensor) -> Solution:
    """Solve without a graph, and tell autograd the way back; that adds what it costs to ``solution.stats``.

    Raises:
        SolverError: f draws random numbers, so that the way back would meet another f.
    """
    with no_draws(y0):
        opening = opened(problem, y0)
        y, solution = _Adjoint.apply(problem, opening, y0, *opening.parameters)
    return replace(solution, y=y)


class _Adjoint(torch.autograd.Function):
    """(y0, parameters) -> states at the output times."""

    @staticmethod
    def forward(
        ctx: Any, problem: Problem, opening: Opening, y0: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Solution]:
        y0 = y0.detach()
        solution = opening.solve(problem, y0, Recorder(problem.t0, problem.t1, problem.times, y0))
        ctx.again = again(problem.f, y0)
        ctx.problem, ctx.stats, ctx.t_reached = problem, solution.stats, solution.t_reached
        ctx.save_for_backward(solution.y, *parameters)
        return solution.y, solution

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        refuse_second_derivative(ctx.problem)
        y, *parameters = ctx.saved_tensors
        system = Augmented(ctx.problem.f, parameters, y, ctx.stats)
        with ctx.again():
            a, g = solve_back(ctx.problem, system, grads[0], ctx.t_reached)
        return None, None, a, *system.gradients(g)
