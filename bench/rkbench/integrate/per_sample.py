"""Steps chosen by the errors of each sample alone: what a sample does never depends on its mates.

All running samples try a step at once, which is a round. Those whose step is accepted move on, the others try a
smaller one in the next round, and those that have ended take no further part: f is called with the running samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.adaptive import StepSize
from rkbench.integrate.error import single
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.own_time import OwnTime, Taken, index, sample_errors, select
from rkbench.integrate.sample import Course, Sample
from rkbench.integrate.sample_outputs import SampleOutputs
from rkbench.integrate.sample_start import first_steps, start_norms
from rkbench.integrate.scheme import scheme as scheme_of
from rkbench.solution import Samples, Solution, Stats, Status
from rkbench.solver import Solver


def check_axis(y0: Tensor) -> Tensor:
    """Return a state that is a batch, and refuse any other.

    Raises:
        SolverError: ``y0`` has no axis.
    """
    if y0.dim() == 0:
        raise SolverError("control='sample' needs a first axis that counts the samples; use y0[None], say.")
    return y0


def at_rest(y0: Tensor, t: float) -> Samples:
    """Return how samples fare that have nowhere to go."""
    n = len(check_axis(y0))
    return Samples((Status.OK,) * n, (t,) * n, ((),) * n, (0,) * n)


class PerSampleSolve:
    """One solve under way, each sample of it somewhere else.

    Args:
        solver: method, controller and tolerances.
        f: the right-hand side.
        y: the state at the start; its first axis counts the samples.
        courses: where each of them is to go.
        t: the output times, as the solution tells them.
        road: how steps are taken.

    Raises:
        SolverError: ``y`` has no axis.
    """

    def __init__(
        self,
        solver: Solver,
        f: Field,
        y: Tensor,
        courses: Sequence[Course],
        t: tuple[float, ...] | Tensor,
        road: Road,
    ) -> None:
        self.solver, self.f, self.t, self.road = solver, f, t, road
        between = any(t not in (t0, t1) for t0, t1, times in set(courses) for t in times)
        dense = solver.method.interpolation is not None and between
        self.scheme = scheme_of(solver.method, True, dense)
        self.own = OwnTime(f, self.scheme, road, y)
        self.outputs = SampleOutputs(courses, y, dense)
        self.y, self.slope = y, None
        self.resolution = torch.finfo(single(y).dtype).tiny
        self.rejected_calls = self.vjps = 0
        k = solver.method.error_exponent
        assert k is not None
        self.samples = self.running = [
            Sample(row, course, course.t0, due, StepSize(solver.controller, k, h=0.0))
            for row, (course, due) in enumerate(zip(courses, self.outputs.at_start, strict=True))
        ]
        self._rest()
        self._start()

    def _rest(self) -> None:
        """Let go of the samples that have nowhere to go."""
        moving = [i for i, sample in enumerate(self.running) if sample.course.t0 != sample.course.t1]
        if len(moving) < len(self.running):
            for sample in self.running:
                if sample.course.t0 == sample.course.t1:
                    sample.status = Status.OK
            self._keep(moving)

    def _start(self) -> None:
        """Let go of the samples that cannot start, and choose the first steps of the others."""
        f0 = self._at_start()
        norms = start_norms(self.solver, self.y, f0)
        starting = [i for i, (_, d1) in enumerate(norms) if math.isfinite(d1)]
        if len(starting) < len(norms):
            for i in set(range(len(norms))) - set(starting):
                self.samples[i].status = Status.NON_FINITE
            self._keep(starting)
            norms = [norms[i] for i in starting]
            f0 = self._at_start()  # with nothing in its graph of those that are gone
        if self.running:
            courses = [sample.course for sample in self.running]
            sizes = first_steps(self.solver, self.own, courses, self.y, f0, norms)
            for sample, h in zip(self.running, sizes, strict=True):
                sample.size.h = h
        self.slope = single(f0) if self.scheme.starts_at_t else None
        self.start_calls = self.f.calls

    def _at_start(self) -> Tensor:
        return self.own.at([sample.t for sample in self.running], self.y) if self.running else self.y

    def run(self) -> Solution:
        """Step until every sample is at t1, or has failed in a way that has a name."""
        while self._sift():
            self._round()
        return self._solution()

    def _sift(self) -> bool:
        """Let go of the samples that have ended; return whether one still runs."""
        for sample in self.running:
            sample.look(self.solver.max_steps, self.resolution)
        running = [i for i, sample in enumerate(self.running) if sample.status is None]
        if len(running) < len(self.running):
            self._keep(running)
        return bool(running)

    def _keep(self, running: list[int]) -> None:
        self.running = [self.running[i] for i in running]
        self.y = select(self.y, running)
        self.slope = None if self.slope is None else select(self.slope, running)

    def _round(self) -> None:
        """Try a step of every running sample."""
        before = self.f.calls
        strides = [sample.stride(self.outputs.target(sample)) for sample in self.running]
        t, h = [sample.t for sample in self.running], [stride.h for stride in strides]
        clock = self.own.clock(t, h, [sample.course for sample in self.running], self.y)
        step = self.own.step(clock, self.y, self.slope)
        errors = sample_errors(self.solver, self.scheme, step)
        accepted = [i for i, error in enumerate(errors) if error <= 1.0]
        if not accepted:
            self.rejected_calls += self.f.calls - before
        else:
            if len(accepted) < len(errors):
                step = self._accepted_part(step, clock, accepted, self.f.calls - before)
            moving, their_strides = [self.running[i] for i in accepted], [strides[i] for i in accepted]
            self.outputs.serve(self.scheme, moving, their_strides, step)
            self._move(accepted, step)
        for sample, stride, error in zip(self.running, strides, errors, strict=True):
            sample.judge(stride, error)
        self.vjps += self._vjps(accepted)

    def _accepted_part(self, step: Taken, clock: Tensor, accepted: list[int], calls: int) -> Taken:
        """Return the steps of the accepted samples.

        For a gradient they are taken again without the others. A step that was rejected may have led f anywhere, and
        0 times an infinity in there would be NaN in the gradient of every parameter.
        """
        if not step.y.requires_grad:
            return step.rows(accepted, self.scheme)
        self.rejected_calls += calls
        slope = None if self.slope is None else select(self.slope, accepted)
        return self.own.step(clock[:, index(accepted, clock)], select(self.y, accepted), slope)

    def _move(self, accepted: list[int], step: Taken) -> None:
        """Bring the accepted samples to where their steps led, and keep their last slope where it opens the next."""
        slope = step.slope(self.scheme.final) if self.scheme.fsal else None
        if len(accepted) == len(self.running):
            self.y, self.slope = step.y, slope
            return
        rows = (index(accepted, self.y),)
        self.y = self.y.index_put(rows, step.y)
        if slope is None or self.slope is None:
            self.slope = None
        else:
            self.slope = self.slope.index_put(rows, slope)

    def _vjps(self, accepted: list[int]) -> int:
        """Return what a backward pass takes in a round; the slope that opens the next one counts in this one."""
        if not (accepted and self.y.requires_grad):
            return 0
        if not self.scheme.fsal:
            return len(self.scheme.carries)
        opening = 1 if self.vjps == 0 else 0
        goes_on = any(self.running[i].status is None for i in accepted)
        return len(self.scheme.carries) - 1 + goes_on + opening

    def _solution(self) -> Solution:
        y = self.outputs.stacked()
        samples = Samples(
            status=tuple(sample.status or Status.OK for sample in self.samples),
            t_reached=tuple(sample.t for sample in self.samples),
            steps=tuple(tuple(sample.steps) for sample in self.samples),
            rejected=tuple(sample.rejected for sample in self.samples),
        )
        least = min(self.samples, key=Sample.share, default=None)
        reached = least.t if least else math.nan
        return Solution(self.t, y, self._stats(samples), (), reached, samples.ended, samples=samples)

    def _stats(self, samples: Samples) -> Stats:
        accepted_calls = self.f.calls - self.start_calls - self.rejected_calls
        again = self.vjps and self.road.recomputed(self.scheme, 1)
        return Stats(
            nfe_start=self.start_calls,
            nfe_accepted=accepted_calls,
            nfe_rejected=self.rejected_calls,
            nfe_backward=accepted_calls if again else 0,
            accepted=max(samples.accepted, default=0),
            rejected=max(samples.rejected, default=0),
            vjps=self.vjps,
        )
