"""Steps chosen by their errors; one number is read back per step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor

from rkbench.controller import HISTORY, SMALLEST_ERROR, StepController
from rkbench.integrate.error import NORM, Norm, error_norm, stretched
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.graphs import Graphs
from rkbench.integrate.output import Outputs
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.scheme import scheme as scheme_of
from rkbench.integrate.start import STRETCH, first_step
from rkbench.integrate.step import Slopes
from rkbench.integrate.traced import Run
from rkbench.solution import Solution, Stats, Status
from rkbench.solver import Solver


@dataclass
class StepSize:
    """The step-size history of one solve, and the rules that no controller may break.

    ``tries`` counts those rejected since the last accepted step.
    """

    controller: StepController
    k: int
    h: float
    errors: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    tries: int = 0

    def accept(self, error: float, taken: float, clipped: bool) -> None:
        """Choose the next step after an accepted one.

        A step cut to land on an output time has a small error that says nothing about the next: the
        history skips it and the step size from before the cut stands.
        """
        if not clipped:
            self.errors = [max(error, SMALLEST_ERROR), *self.errors][:HISTORY]
            self.sizes = [taken, *self.sizes][:HISTORY]
            ratios = [new / old for new, old in zip(self.sizes, self.sizes[1:], strict=False)]
            factor = self.controller.factor(self.errors, ratios, self.k)
            self.h = taken * (min(factor, 1.0) if self.tries else factor)
        self.tries = 0

    def reject(self, error: float, taken: float) -> None:
        """Choose a smaller step for the retry."""
        self.h = taken * self.controller.factor_after_rejection(error, self.k)
        self.tries += 1


class AdaptiveSolve:
    """One solve under way from t0 to t1: where it is, what it knows, what it has cost.

    Args:
        solver: method, controller and tolerances.
        f: the right-hand side.
        y: the state at t0.
        t0: where to start.
        t1: where to end.
        outputs: takes the states on the way.
        road: how steps are taken.
        norm: of the scaled error; the solver's unless given.
    """

    def __init__(
        self,
        solver: Solver,
        f: Field,
        y: Tensor,
        t0: float,
        t1: float,
        outputs: Outputs,
        road: Road = BACKPROP,
        norm: Norm | None = None,
    ) -> None:
        self.solver, self.f, self.outputs, self.road = solver, f, outputs, road
        self.norm = norm or NORM[solver.norm]
        self.t, self.t1, self.y, self.y0 = t0, t1, y, y
        inside = outputs.scattered or outputs.pending not in (None, t1)
        self.dense = solver.method.interpolation is not None and inside
        self.scheme: Scheme = scheme_of(solver.method, True, self.dense)
        self.graphs = Graphs(solver, self.scheme, f) if solver.compile else None
        self.begun: Run | None = None
        self.k: Slopes = {}
        self.steps: list[float] = []
        self.retries: list[int] = []
        self.start_calls = self.rejected_calls = self.rejected = 0
        assert solver.method.error_exponent is not None
        self.size = StepSize(solver.controller, solver.method.error_exponent, self._first_step())

    def _first_step(self) -> float:
        if self.graphs is not None:
            f0, h, self.begun = self.graphs.begin(self.y, self.t, self.t1, self._target)
        else:
            f0 = self.f.at(self.t, self.y)
            h = first_step(self.solver, self.norm, self.f.at, self.t, self.t1, self.y, f0)
        if self.scheme.starts_at_t:
            self.k = {0: f0}
        self.start_calls = self.f.calls
        return h

    def run(self) -> Solution:
        """Step until t1, or until the solve fails in a way that has a name."""
        last_error = self.size.h  # NaN when f(t0, y0) is
        while self.t != self.t1:
            status = self._stuck(last_error)
            if status is not None:
                return self._solution(status)
            last_error = self._attempt()
        return self._solution(Status.OK)

    def _stuck(self, last_error: float) -> Status | None:
        if len(self.steps) + self.rejected >= self.solver.max_steps:
            return Status.MAX_STEPS
        # Not `h < resolution`: a NaN step is stuck as well.
        if not abs(self.size.h) >= 10 * math.ulp(self.t):
            return Status.STEP_UNDERFLOW if math.isfinite(last_error) else Status.NON_FINITE
        return None

    def _attempt(self) -> float:
        """Try one step, accept or reject it, and return its error norm."""
        before = self.f.calls
        h, clipped, t_next = self._clip()
        y_new, k, error = self._trial(h)
        if error <= 1.0:
            self._advance(y_new, k, h, t_next)
            self.size.accept(error, h, clipped)
        else:
            self.k = {0: k[0]} if self.scheme.starts_at_t else {}
            self.rejected += 1
            self.rejected_calls += self.f.calls - before
            self.size.reject(error, h)
        return error

    def _trial(self, h: float) -> tuple[Tensor, Slopes, float]:
        """Return the state after a step from here, its slopes, and the norm of its error."""
        if self.graphs is not None:
            y_new, k, errors = self._compiled_step(self.graphs, h)
            assert errors is not None
            return y_new, self.k | k, stretched(*errors[0].tolist())
        times = self.f.stage_times(self.scheme, self.t, h)
        y_new, k = self.road.step(self.scheme, self.f, times, self.y, h, self.k)
        return y_new, k, error_norm(self.solver, self.scheme, self.y, y_new, k, h, self.norm)

    def _compiled_step(self, graphs: Graphs, h: float) -> Run:
        """Take a step by its graph; the first was taken by the graph that found its size."""
        begun, self.begun = self.begun, None
        if begun is None:
            return graphs.run(self.y, self.k.get(0), (self.t, self.t + h))
        self.f.count(graphs.evaluations(0 in self.k))
        return begun

    @property
    def _target(self) -> float:
        """The time that the next step must not pass."""
        pending = self.outputs.pending
        return self.t1 if self.dense or pending is None else pending

    def _clip(self) -> tuple[float, bool, float]:
        """Return the step to try, whether it was cut to land, and the time it leads to."""
        target = self._target
        h, remaining = self.size.h, target - self.t
        if abs(h) * (1 + STRETCH) >= abs(remaining):
            return remaining, abs(remaining) < abs(h) * (1 - STRETCH), target
        return h, False, self.t + h

    def _advance(self, y_new: Tensor, k: Slopes, h: float, t_next: float) -> None:
        self.outputs.serve_inside(self.scheme, self.y, k, self.t, t_next)
        self.outputs.record(t_next, y_new)
        self.k = {0: k[self.scheme.final]} if self.scheme.fsal else {}
        self.t, self.y = t_next, y_new
        self.steps.append(h)
        self.retries.append(self.size.tries)

    def _solution(self, status: Status) -> Solution:
        accepted_calls = self.f.calls - self.start_calls - self.rejected_calls
        differentiable, n = self.y.requires_grad, len(self.steps)
        stats = Stats(
            nfe_start=self.start_calls,
            nfe_accepted=accepted_calls,
            nfe_rejected=self.rejected_calls,
            nfe_backward=self.road.recomputed(self.scheme, n) if differentiable else 0,
            accepted=n,
            rejected=self.rejected,
            vjps=len(self.scheme.carries) * n if differentiable else 0,
        )
        y = self.outputs.stacked(self.y0)
        steps, retries = tuple(self.steps), tuple(self.retries)
        return Solution(self.outputs.times, y, stats, steps, self.t, status, retries=retries)
