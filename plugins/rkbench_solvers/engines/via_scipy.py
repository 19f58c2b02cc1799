"""scipy's explicit Runge–Kutta solvers: for evaluation only, since numpy keeps no graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rkbench import Solution, SolverError, Stats, Status
from rkbench_solvers import bogacki_shampine, dop853, dormand_prince
from rkbench_solvers.engines.defect import Defect
from rkbench_solvers.engines.peer import Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

METHODS = (
    Shipped("RK23", bogacki_shampine.BOGACKI_SHAMPINE_32, equal_steps=True, adaptive=True),
    Shipped("RK45", dormand_prince.DORMAND_PRINCE_54, equal_steps=True, adaptive=True),
    Shipped("DOP853", dop853.DOP853, equal_steps=True, adaptive=True),
)

DEFECTS = (
    Defect("rtol", "raised to 100 times the precision of float64, with a warning", rows="adaptive"),
    Defect("NaN", "a NaN in f at t0 loops for ever; the adapter looks and ends the solve", rows="none"),
)

START_CALLS = 2
"""Evaluations of f to choose the first step; the first step uses one of them again."""

SLACK = 1e-13
"""By how much equal steps are lengthened, so that round-off does not leave a rest for another step."""


class ScipyEngine(Peer):
    """``RK23``, ``RK45`` and ``DOP853``, in float64 on the CPU whatever the state's dtype and device.

    Equal steps are its adaptive solvers with an infinite tolerance and a largest step. Output times are
    interpolated, for which DOP853 evaluates f three times more in the steps concerned. f is always evaluated at
    the end of a step, even the last.
    """

    name = "scipy"
    library = "scipy"
    methods = METHODS
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with a stepper of ``scipy.integrate``.

        Raises:
            SolverError: y0 or f asks for a gradient.
        """
        import numpy as np

        with np.errstate(all="ignore"):  # what overflows is told by the status
            return _Walk(problem, self.theirs(problem.solver)).run()


class _Walk:
    """One solve under way."""

    def __init__(self, problem: Problem, method: str) -> None:
        import scipy.integrate

        _refuse_gradient(problem.y0)
        self.problem = problem
        self.ended_finite = True
        y0 = problem.y0.detach().double().cpu().numpy()
        start = (self._f, problem.t0, y0.ravel(), problem.t1)
        self.stepper = getattr(scipy.integrate, method)(*start, **_limits(problem))
        self.start_calls = problem.f.calls if problem.solver.adaptive else 0
        self.output_calls = 0
        self.steps: list[float] = []
        self.states = {problem.t0: self.stepper.y}

    def _f(self, t: float, y: Any) -> Any:
        import numpy as np
        import torch

        y0 = self.problem.y0
        state = torch.from_numpy(y.reshape(y0.shape)).to(y0.device, y0.dtype)
        k = self.problem.f(torch.tensor(t, dtype=y0.dtype, device=y0.device), state)
        _refuse_gradient(k)
        slope = k.detach().double().cpu().numpy().ravel()
        self.ended_finite = bool(np.isfinite(slope).all())
        return slope

    def run(self) -> Solution:
        """Step until t1 or until it fails."""
        if not math.isfinite(self.stepper.h_abs) or not self.ended_finite:
            return self._failed(Status.NON_FINITE)
        while self.stepper.status == "running":
            if self._attempts >= self.problem.solver.max_steps and self.problem.solver.adaptive:
                return self._failed(Status.MAX_STEPS)
            self.stepper.step()
            if self.stepper.status == "failed":
                return self._failed(Status.STEP_UNDERFLOW if self.ended_finite else Status.NON_FINITE)
            self._record()
        return self.problem.solved(self._rows(), self._stats(), self.steps)

    def _record(self) -> None:
        """Note the step, and the states at the output times in it."""
        stepper, direction = self.stepper, self.problem.direction
        self.steps.append(float(stepper.t - stepper.t_old))
        if stepper.t in self.problem.stops:
            self.states[float(stepper.t)] = stepper.y
        due = [
            t for t in self.problem.stops if direction * stepper.t_old < direction * t < direction * stepper.t
        ]
        if due:
            before = self.problem.f.calls
            dense = stepper.dense_output()
            self.output_calls += self.problem.f.calls - before
            self.states |= {t: dense(t) for t in due}

    @property
    def _step_calls(self) -> int:
        return self.problem.f.calls - self.start_calls - self.output_calls

    @property
    def _attempts(self) -> int:
        return self._step_calls // self.stepper.n_stages

    def _stats(self) -> Stats:
        rejected = self._attempts - len(self.steps)
        rejected_calls = rejected * self.stepper.n_stages
        return Stats(
            nfe_start=self.start_calls,
            nfe_accepted=self._step_calls - rejected_calls,
            nfe_rejected=rejected_calls,
            nfe_output=self.output_calls,
            accepted=len(self.steps),
            rejected=rejected,
        )

    def _rows(self) -> Tensor:
        import numpy as np
        import torch

        y0 = self.problem.y0
        rows = np.stack([self.states[t] for t in self.problem.stops])
        return torch.from_numpy(rows).reshape(-1, *y0.shape).to(y0.device, y0.dtype)

    def _failed(self, status: Status) -> Solution:
        return self.problem.failed(status, float(self.stepper.t), self._stats(), self.steps)


def _limits(problem: Problem) -> dict[str, float]:
    solver = problem.solver
    if solver.adaptive:
        return {"rtol": solver.rtol, "atol": solver.atol}
    h = abs(problem.h)
    return {"atol": math.inf, "first_step": h, "max_step": h * (1 + SLACK)}


def _refuse_gradient(tensor: Tensor) -> None:
    if tensor.requires_grad:
        raise SolverError(
            "scipy keeps no graph, and y0 or f asks for a gradient; solve under torch.no_grad(), or choose another engine."
        )
