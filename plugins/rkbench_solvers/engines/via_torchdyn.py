"""torchdyn (Poli et al. 2021)."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rkbench import Solution, Stats, Status
from rkbench_solvers import dormand_prince, euler, runge, tsitouras
from rkbench_solvers.engines.defect import Defect
from rkbench_solvers.engines.peer import Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

METHODS = (
    Shipped("euler", euler.EULER, equal_steps=True),
    Shipped("midpoint", runge.MIDPOINT, equal_steps=True),
    Shipped("dopri5", dormand_prince.SHAMPINE_54, adaptive=True),
    Shipped("tsit5", tsitouras.TSITOURAS_54, adaptive=True),
)

DEFECTS = (
    Defect(
        "rk4",
        "its rk4 calls f at the wrong times from stage 2 on, which leaves order 1 where f depends on t",
        rows="none",
    ),
    Defect(
        "NaN",
        "a NaN in f loops for ever; the adapter looks now and then and ends the solve",
        rows="adaptive",
    ),
    Defect(
        "first step",
        "of backward time, it is chosen with f unreversed; the adapter reverses f itself",
        rows="none",
    ),
    Defect("max_steps", "there is none; the adapter counts", rows="none"),
    Defect("seminorm", "its adjoint leaves the parameters out of the norm, whatever it is told", rows="none"),
)

START_CALLS = 2
"""Evaluations of f to choose the first step; the first step uses one of them again."""

STAGES = 6
"""Evaluations of f per step tried, of both adaptive methods: they are FSAL."""

LOOK = 64
"""How many evaluations of f between looks for NaN; each look waits for the device."""


class TorchdynEngine(Peer):
    """torchdyn with its own I controller; equal steps are given as its time grid.

    It keeps time in the dtype of the state. After a failure it does not say which steps it accepted, so all count as
    rejected, and `Solution.t_reached` is where f was called last. `Stats.vjps` stays 0: the library does not say
    which stages the gradient reaches.
    """

    name = "torchdyn"
    library = "torchdyn"
    methods = METHODS
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with ``torchdyn.numerics.odeint``."""
        return self._adaptive(problem) if problem.solver.adaptive else self._equal(problem)

    def _equal(self, problem: Problem) -> Solution:
        odeint, f = _odeint(), _Forward(problem)
        stops = f.clock(problem.stops)
        _, rows = odeint(f, f.state, f.clock(problem.grid), self.theirs(problem.solver), save_at=stops)
        steps = [b - a for a, b in pairwise(problem.grid)]
        stats = Stats(nfe_accepted=problem.f.calls, accepted=len(steps))
        return problem.solved(rows.reshape(-1, *problem.y0.shape), stats, steps)

    def _adaptive(self, problem: Problem) -> Solution:
        odeint, f = _odeint(), _Forward(problem)
        solver = problem.solver
        try:
            times, rows = odeint(
                f,
                f.state,
                f.clock(problem.stops),
                self.theirs(solver),
                atol=solver.atol,
                rtol=solver.rtol,
                return_all_eval=True,
            )
        except _HopelessError as reason:
            return problem.failed(reason.status, float(problem.f.t), _stats(problem, accepted=0))
        walked = [problem.direction * t for t in times.tolist()]
        # Times are added up in floating point, so an output time may be met only to round-off.
        nearest = [min(range(len(walked)), key=lambda i: abs(walked[i] - stop)) for stop in problem.stops]
        rows = rows[nearest].reshape(-1, *problem.y0.shape)
        return problem.solved(rows, _stats(problem, len(walked) - 1), [b - a for a, b in pairwise(walked)])


def _odeint() -> Any:
    return import_module("torchdyn.numerics").odeint


class _HopelessError(Exception):
    """A solve that the library would not end."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.value)
        self.status = status


class _Forward:
    """f on a clock that runs forward, with the checks that the library lacks."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        solver = problem.solver
        self.state = problem.y0.reshape(problem.y0.shape or (1,))  # the library's step sizes have one axis
        self.budget = START_CALLS + STAGES * solver.max_steps if solver.adaptive else None

    def clock(self, times: list[float]) -> Tensor:
        """Return the times as the library sees them: increasing, in the state's dtype."""
        import torch

        forward = [self.problem.direction * t for t in times]
        return torch.tensor(forward, dtype=self.problem.y0.dtype, device=self.problem.y0.device)

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        f, direction = self.problem.f, self.problem.direction
        if self.budget is not None and f.calls >= self.budget:
            raise _HopelessError(Status.MAX_STEPS)
        k = f(direction * t.reshape(()), y.reshape(self.problem.y0.shape))
        if self.budget is not None and f.calls % LOOK == 0 and k.isnan().any():
            raise _HopelessError(Status.NON_FINITE)
        return k if direction > 0 else -k


def _stats(problem: Problem, accepted: int) -> Stats:
    tried = problem.f.calls - START_CALLS
    rejected = tried // STAGES - accepted
    return Stats(
        nfe_start=START_CALLS,
        nfe_accepted=STAGES * accepted,
        nfe_rejected=tried - STAGES * accepted,
        accepted=accepted,
        rejected=rejected,
    )
