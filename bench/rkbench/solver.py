"""The specification of a solve, and the promise of whatever executes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rkbench.controller import StepController
from rkbench.errors import SolverError
from rkbench.solution import Solution
from rkbench.tableau import ButcherTableau

if TYPE_CHECKING:
    from torch import Tensor

GRADIENTS = {"backprop": "autograd through every step: the exact gradient of the computed map"}
NORMS = {
    "rms": "root mean square over the whole batch, torchdiffeq's convention",
    "worst_sample": "the largest root mean square of any sample (the first axis counts the samples)",
}
CONTROLS = {"batch": "one step size for the whole batch"}


@runtime_checkable
class Engine(Protocol):
    """What executes a solve.

    An engine announces itself without importing its library; ``solve`` may.
    """

    name: str

    def unsupported(self, solver: Solver) -> str | None:
        """Return one sentence why this engine cannot run ``solver``, or None when it can."""
        ...

    def solve(
        self,
        solver: Solver,
        f: Callable[..., Any],
        y0: Tensor,
        t_span: Sequence[float],
        t_eval: Sequence[float] | None = None,
    ) -> Solution:
        """Integrate y' = f(t, y) from y(t0) = y0 to t1; a failure is a `Solution` too, never an exception."""
        ...


@dataclass(frozen=True)
class Solver:
    """Everything a solve needs to know besides the problem.

    Attributes:
        method: the tableau.
        controller: how steps are chosen.
        engine: what executes it.
        gradient: how it is differentiated; one of `GRADIENTS`.
        steps: number of equal steps; None for an adaptive solve.
        rtol: relative tolerance of a step.
        atol: absolute tolerance of a step.
        norm: how the error of a step becomes one number; one of `NORMS`.
        control: what shares a step size; one of `CONTROLS`.
        compile: whether the engine compiles the solve.
        max_steps: the most steps, accepted and rejected, before giving up.

    Raises:
        SolverError: in one sentence, which options do not fit together.
    """

    method: ButcherTableau
    controller: StepController
    engine: Engine
    gradient: str = "backprop"
    steps: int | None = None
    rtol: float = 1e-3
    atol: float = 1e-6
    norm: str = "rms"
    control: str = "batch"
    compile: bool = False
    max_steps: int = 10_000

    def __post_init__(self) -> None:
        self._refuse_unknown()
        self._refuse_steps()
        if self.adaptive:
            self._refuse_tolerances()
        reason = self.engine.unsupported(self)
        if reason:
            raise SolverError(f"The engine {self.engine.name} cannot run {self.method.name}: {reason}")

    @property
    def adaptive(self) -> bool:
        """Whether errors choose the steps."""
        return self.controller.adaptive

    def _refuse_unknown(self) -> None:
        for kind, value, known in (
            ("norm", self.norm, NORMS),
            ("control", self.control, CONTROLS),
            ("gradient", self.gradient, GRADIENTS),
        ):
            if value not in known:
                raise SolverError(f"There is no {kind} {value!r}; choose one of: {', '.join(known)}.")

    def _refuse_steps(self) -> None:
        name, prescribed = self.method.name, self.controller.prescribed
        if self.controller.name == "replay" and prescribed is None:
            raise SolverError("The replay controller needs its steps; pass controller=rkbench.replay(steps).")
        if self.adaptive and self.steps is not None:
            raise SolverError(
                f"{name}: steps={self.steps} asks for equal steps, which {self.controller.name} does not take; drop one."
            )
        if self.adaptive and not self.method.adaptive:
            raise SolverError(
                f"{name} has no embedded solution to estimate its error with; give steps=10, say."
            )
        if not self.adaptive and prescribed is None and self.steps is None:
            raise SolverError(
                f"{name}: equal steps were asked for without saying how many; give steps=10, say."
            )
        if self.steps is not None and (not isinstance(self.steps, int) or self.steps < 1):
            raise SolverError(f"steps must be a whole number from 1 on, not {self.steps!r}.")
        if self.max_steps < 1:
            raise SolverError(f"max_steps must be at least 1, not {self.max_steps}.")

    def _refuse_tolerances(self) -> None:
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if not (math.isfinite(value) and value >= 0):
                raise SolverError(f"{name} must be a number from 0 on, not {value!r}; such as 1e-3.")
        if self.rtol == self.atol == 0:
            raise SolverError("rtol and atol are both 0, which no step can meet; give at least one of them.")
