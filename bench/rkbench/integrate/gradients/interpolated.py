"""The continuous adjoint beside the state of the dense output (Daulbaev et al. 2020, arXiv:2003.05271).

The way back solves for the gradient alone and reads the state off the interpolation of the way forth. So it cannot
drift: where the solve contracts, the plain adjoint grows a wrong state out of round-off, and this one does not. The
price is memory, for each step two tensors or the coefficients of the method's own interpolation (`dense_output`).
The gradient is off by about the tolerance, or by the interpolation where that is worse than the steps: its error
is O(h⁴) for a method without an interpolation of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.gradients.again import again
from rkbench.integrate.gradients.backwards import solve_back
from rkbench.integrate.gradients.costate import Costate
from rkbench.integrate.gradients.dense_output import DenseOutput, DenseRecord, interpolation_of
from rkbench.integrate.gradients.problem import Opening, Problem, no_draws, opened, refuse_second_derivative
from rkbench.integrate.gradients.tape import Recorder
from rkbench.solution import Solution


def interpolated_solve(problem: Problem, y0: Tensor) -> Solution:
    """Solve without a graph, and tell autograd the way back; that adds what it costs to ``solution.stats``.

    Raises:
        SolverError: f draws random numbers, so that the way back would meet another f.
    """
    with no_draws(y0):
        opening = opened(problem, y0)
        y, solution = _Interpolated.apply(problem, opening, y0, *opening.parameters)
    return replace(solution, y=y)


class _Interpolated(torch.autograd.Function):
    """(y0, parameters) -> states at the output times."""

    @staticmethod
    def forward(
        ctx: Any, problem: Problem, opening: Opening, y0: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Solution]:
        y0, field = y0.detach(), problem.field(y0)
        ctx.again = again(problem.f, y0)
        ctx.problem, ctx.interpolation = problem, interpolation_of(problem.solver.method)
        record = DenseRecord(ctx.interpolation, field)
        recorder = Recorder(problem.t0, problem.t1, problem.times, y0, record.watch)
        solution = opening.solve(problem, y0, recorder)
        record.finish()
        solution.stats.nfe_output += field.calls
        ctx.steps, ctx.stats, ctx.t_reached = recorder.tape.steps, solution.stats, solution.t_reached
        ctx.parameters = len(parameters)
        ctx.save_for_backward(*parameters, *record.tensors)
        return solution.y, solution

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        refuse_second_derivative(ctx.problem)
        parameters, tensors = ctx.saved_tensors[: ctx.parameters], ctx.saved_tensors[ctx.parameters :]
        state = DenseOutput(ctx.interpolation, ctx.steps, tensors)
        system = Costate(ctx.problem.f, parameters, grads[0], ctx.stats, state)
        with ctx.again():
            a, g = solve_back(ctx.problem, system, grads[0], ctx.t_reached)
        return None, None, a, *system.gradients(g)
