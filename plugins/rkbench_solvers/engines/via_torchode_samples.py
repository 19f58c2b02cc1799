"""torchode as it is made: each sample of a batch has its own step size.

What differs from rkbench's own ``control="sample"``: f always meets the whole batch, with samples that have ended
resting at t1. The library ends a solve as soon as one sample fails, and calls its mates successes. Here its
controller keeps the failure to itself and leads that sample to t1 in one step, so that the others go on; f meets
it, too, in whatever state that step left it. A sample whose error is not finite is given up at once, without trying a
smaller step.
"""

from __future__ import annotations

from typing import Any

import torch
import torchode  # pyright: ignore[reportMissingImports]
from torch import Tensor

from rkbench import Samples, Solution, SolverError, Stats, Status
from rkbench_solvers.engines.peer import Problem

START_CALLS = 2
"""Evaluations of f to choose the first steps; FSAL methods use one of them again."""

ENDINGS = (Status.OK, Status.MAX_STEPS, Status.STEP_UNDERFLOW, Status.NON_FINITE)
"""How a sample may end; the controller keeps the places."""


class Watched(torchode.IntegralController):
    """The library's controller, which also remembers the steps and how each sample ended.

    Args:
        problem: what is solved.
        t1: its end, one for each sample.

    Attributes:
        rounds: of each round, the signed steps of all samples, whether they were tried, and whether accepted.
        ending: how each sample ended; an index of `ENDINGS`.
        reached: where it failed; t1 when it did not.
    """

    def __init__(self, problem: Problem, t1: Tensor) -> None:
        super().__init__(atol=problem.solver.atol, rtol=problem.solver.rtol)
        self.direction, self.t1 = problem.direction, t1
        self.max_steps = problem.solver.max_steps
        self.rounds: list[tuple[Tensor, Tensor, Tensor]] = []
        self.ending = torch.zeros_like(t1, dtype=torch.long)
        self.reached = t1

    def adapt_step_size(
        self, t0: Tensor, dt: Tensor, y0: Tensor, step_result: Any, state: Any, stats: Any
    ) -> Any:
        """Return whether each step is kept, the next one, the state, and whether the solve is over before t1."""
        accept, following, state, told = super().adapt_step_size(t0, dt, y0, step_result, state, stats)
        led = self.ending > 0
        tried = self._running(t0) & ~led
        accept = accept & (told == torchode.status_codes.SUCCESS)
        t = torch.where(accept, t0 + dt, t0)
        self.rounds.append((dt, tried, tried & accept))
        self._end(t, tried & self._running(t), told, lost=~accept & (t0 + following == t0))
        fails = self.ending > 0
        over = fails & ~(self._running(t) & ~fails).any()
        return accept | led, torch.where(fails, self.direction * torch.inf, following), state, over.long()

    def _running(self, t: Tensor) -> Tensor:
        return self.direction * (self.t1 - t) > 0

    def _end(self, t: Tensor, running: Tensor, told: Tensor, lost: Tensor) -> None:
        """Take down which of the running samples fail here, and how."""
        spent = running & (len(self.rounds) >= self.max_steps)
        ending = torch.where(spent, ENDINGS.index(Status.MAX_STEPS), 0)
        ending = torch.where(running & lost, ENDINGS.index(Status.STEP_UNDERFLOW), ending)
        broken = running & (told != torchode.status_codes.SUCCESS)
        ending = torch.where(broken, ENDINGS.index(Status.NON_FINITE), ending)
        self.reached = torch.where(ending > 0, t, self.reached)
        self.ending = torch.where(ending > 0, ending, self.ending)

    def samples(self) -> Samples:
        """Return how each sample fared."""
        steps, tried, accepted = (torch.stack(parts, 1).tolist() for parts in zip(*self.rounds, strict=True))
        return Samples(
            status=tuple(ENDINGS[place] for place in self.ending.tolist()),
            t_reached=tuple(self.reached.tolist()),
            steps=tuple(
                tuple(h for h, kept in zip(row, keeps, strict=True) if kept)
                for row, keeps in zip(steps, accepted, strict=True)
            ),
            rejected=tuple(sum(a) - sum(b) for a, b in zip(tried, accepted, strict=True)),
        )


def solve(problem: Problem, method: str) -> Solution:
    """Solve with ``torchode.AutoDiffAdjoint``, each sample of the batch by steps of its own.

    Raises:
        SolverError: the state has no axis that counts the samples.
    """
    y0 = problem.y0
    if y0.dim() == 0:
        raise SolverError("control='sample' needs a first axis that counts the samples; use y0[None], say.")
    if len(y0) == 0:
        empty = y0.new_empty((len(problem.times), *y0.shape))
        return Solution(problem.times, empty, Stats(), (), problem.t1, samples=Samples((), (), (), ()))
    theirs = _as_theirs(problem)
    watched = Watched(problem, theirs.t_end).to(y0.device)
    step = getattr(torchode, method)(term=None)
    adjoint = torchode.AutoDiffAdjoint(step, watched, backprop_through_step_size_control=False)
    answer = adjoint.solve(theirs, term=torchode.ODETerm(_flat(problem), with_stats=False))
    return _solution(problem, answer.ys, watched)


def _flat(problem: Problem) -> Any:
    """Return f of ``[samples]`` times and ``[samples, features]`` states."""
    y0 = problem.y0
    column = (-1, *[1] * (y0.dim() - 1))

    def flat(t: Tensor, y: Tensor) -> Tensor:
        return problem.f(t.to(y.dtype).reshape(column), y.reshape(y0.shape)).reshape(y.shape)

    return flat


def _as_theirs(problem: Problem) -> Any:
    y0 = problem.y0
    dtype = torch.promote_types(y0.dtype, torch.float32)

    def each(*times: float) -> Tensor:
        return torch.tensor(times, dtype=dtype, device=y0.device).expand(len(y0), len(times))

    return torchode.InitialValueProblem(
        y0=y0.reshape(len(y0), y0[0].numel()),
        t_start=each(problem.t0)[:, 0],
        t_end=each(problem.t1)[:, 0],
        t_eval=each(*problem.stops) if len(problem.stops) > 2 else None,
    )


def _solution(problem: Problem, ys: Tensor, watched: Watched) -> Solution:
    samples, y0 = watched.samples(), problem.y0
    rows = ys.transpose(0, 1).reshape(ys.shape[1], *y0.shape)  # the states at the stops, or at t1 alone
    if len(problem.stops) == 2:
        rows = torch.stack([y0, rows[-1]])
    solution = problem.solved(_reached(problem, rows, watched), _stats(problem, watched, samples))
    least = min(samples.t_reached, key=lambda t: abs(t - problem.t0))
    return Solution(solution.t, solution.y, solution.stats, (), least, samples.ended, samples=samples)


def _reached(problem: Problem, rows: Tensor, watched: Watched) -> Tensor:
    """Return the states at the stops, NaN where a sample did not come."""
    stops = torch.tensor(problem.stops, dtype=watched.t1.dtype, device=rows.device)[:, None]
    beyond = (watched.ending > 0) & (problem.direction * (stops - watched.reached) > 0)
    return torch.where(beyond.reshape(*beyond.shape, *[1] * (rows.dim() - 2)), torch.nan, rows)


def _stats(problem: Problem, watched: Watched, samples: Samples) -> Stats:
    """Count a round as accepted when it served a step of at least one sample."""
    method = problem.solver.method
    served = torch.stack([accepted.any() for _, _, accepted in watched.rounds]).tolist()
    rejected = served.count(False) * (method.stages - method.fsal)
    return Stats(
        nfe_start=START_CALLS,
        nfe_accepted=problem.f.calls - START_CALLS - rejected,
        nfe_rejected=rejected,
        accepted=max(samples.accepted),
        rejected=max(samples.rejected),
    )
