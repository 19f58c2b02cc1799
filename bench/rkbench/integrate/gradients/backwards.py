"""The second solve of a continuous gradient: from the last output time back to t0, leg by leg."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from rkbench.errors import SolveError
from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.error import NORM
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid, reversed_part
from rkbench.integrate.gradients.costate import Costate
from rkbench.integrate.gradients.problem import Problem
from rkbench.integrate.output import Outputs
from rkbench.solution import Status


def solve_back(problem: Problem, system: Costate, grad: Tensor, t_reached: float) -> tuple[Tensor, Tensor]:
    """Return dL/dy0, and dL/dθ as one vector.

    Args:
        problem: what was solved.
        system: what is solved now.
        grad: dL/dy of the outputs, ``[times, *shape]``.
        t_reached: where the solve ended; output times beyond it hold nothing to differentiate.

    Raises:
        SolveError: the second solve failed.
    """
    a, g = grad.new_zeros(grad.shape[1:]), system.no_gradient(grad)
    starts = (problem.t0, *problem.times)
    reached = [i for i, t in enumerate(problem.times) if abs(t - problem.t0) <= abs(t_reached - problem.t0)]
    for i in reversed(reached):
        a = a + grad[i]
        if problem.times[i] != starts[i]:
            v = _leg(problem, system, problem.times[i], starts[i], system.at_output(i, a, g))
            a, g = system.parts(v)
    return a, g


def _leg(problem: Problem, system: Costate, start: float, end: float, v: Tensor) -> Tensor:
    """Return the vector at ``end``; equal steps go back as they came."""
    solver = problem.solver
    field, outputs = Field(system, v, start, end), Outputs(start, end, (end,), v)
    if not solver.adaptive:
        times = reversed_part(grid(solver, problem.t0, problem.t1), start, end)
        return fixed_loop(solver.method, field, v, times, outputs).y[0]
    rtol, atol = solver.adjoint_tolerances
    back = replace(
        solver, gradient="backprop", rtol=rtol, atol=atol, adjoint_rtol=None, adjoint_atol=None, seminorm=True
    )
    norm = system.norm(NORM[solver.norm], solver.seminorm)
    solution = AdaptiveSolve(back, field, v, start, end, outputs, norm=norm).run()
    if solution.ended is not Status.OK:
        raise SolveError(solution, f"The adjoint, solved back from t = {start:g}: {solution.sentence}")
    return solution.y[0]
