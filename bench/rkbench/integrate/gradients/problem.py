"""What is solved forth and back, and the first evaluation of f, which shows what its gradient depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.leaves import parameters_of
from rkbench.integrate.gradients.tape import Recorder
from rkbench.integrate.scheme import scheme
from rkbench.solution import Solution
from rkbench.solver import Solver


@dataclass(frozen=True)
class Problem:
    """y' = f(t, y) from t0 to t1, its states wanted at ``times``, and the solver for it."""

    solver: Solver
    f: Callable[..., Any]
    t0: float
    t1: float
    times: tuple[float, ...]

    def field(self, like: Tensor) -> Field:
        """Return f as the engine calls it, on states like this one."""
        return Field(self.f, like, self.t0, self.t1)


@dataclass(frozen=True)
class Opening:
    """The first evaluation of a solve, and the parameters that its graph and f itself show.

    Attributes:
        slope: f(t0, y0), off the graph.
        parameters: see `parameters_of`.
        extra: evaluations that the solve would not have made.
    """

    slope: Tensor
    parameters: tuple[Tensor, ...]
    extra: int

    def solve(self, problem: Problem, y0: Tensor, recorder: Recorder) -> Solution:
        """Return the solve, which takes its first evaluation from here where it begins with it."""
        known, f = ([] if self.extra else [self.slope]), problem.f
        field = Field(lambda t, y: known.pop() if known else f(t, y), y0, problem.t0, problem.t1)
        solution = recorder.solve(problem.solver, field, y0)
        solution.stats.nfe_start += self.extra
        return solution


def opened(problem: Problem, y0: Tensor) -> Opening:
    """Evaluate f(t0, y0) once, with a graph that is looked at and dropped."""
    solver = problem.solver
    slope = problem.field(y0).at(problem.t0, y0.detach())
    begins_there = solver.adaptive or scheme(solver.method, False, False).starts_at_t
    return Opening(slope.detach(), parameters_of(problem.f, slope), extra=0 if begins_there else 1)


@contextmanager
def no_draws(y: Tensor) -> Iterator[None]:
    """Refuse a solve that draws random numbers, because its way back would meet another f.

    Raises:
        SolverError: the state of the random numbers has changed inside.
    """
    before = _random_state(y)
    yield
    if not torch.equal(before, _random_state(y)):
        raise SolverError(
            "f draws random numbers (dropout, say), so that the way back would meet another f; use "
            "gradient='checkpoint', which draws them again, or call f.eval()."
        )


def _random_state(y: Tensor) -> Tensor:
    return torch.cuda.get_rng_state(y.device) if y.is_cuda else torch.get_rng_state()


def refuse_second_derivative(problem: Problem) -> None:
    """Refuse to run a backward pass that shall be differentiated itself.

    Raises:
        SolverError: autograd is recording, because of ``create_graph=True``.
    """
    if torch.is_grad_enabled():
        raise SolverError(
            f"The gradient {problem.solver.gradient} cannot be differentiated again; use gradient='checkpoint'."
        )
