"""The specification of a solve, and the promise of whatever executes it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rkbench.controller import StepController
from rkbench.errors import SolverError
from rkbench.solution import Solution
from rkbench.tableau import ButcherTableau

if TYPE_CHECKING:
    from torch import Tensor

GRADIENTS = {
    "backprop": "autograd through every step: the exact gradient of the computed map",
    "checkpoint": "the same gradient; keeps the states between steps, and computes their stages again",
    "segments": "the same gradient; keeps the states of about √N of N steps, and takes the others again",
    "binomial": "the same gradient; keeps the states of about log2 N steps, and takes the others again and again",
    "adjoint": "the gradient of the continuous problem, by a second solve back in time; memory does not grow",
    "interpolated": "the same as adjoint, but reads the state off the dense output of the solve, which it keeps",
}
CONTINUOUS = ("adjoint", "interpolated")
"""The gradients that solve back in time, with tolerances of their own."""

SPARING = ("segments", "binomial")
"""The gradients that keep the states of some steps only."""

SAMPLEWISE = ("backprop", "checkpoint")
"""The gradients that can follow samples with steps of their own."""

NORMS = {
    "rms": "root mean square over the whole batch, torchdiffeq's convention",
    "worst_sample": "the largest root mean square of any sample (the first axis counts the samples)",
}
CONTROLS = {
    "batch": "one step size for the whole batch",
    "sample": "each sample has its own step size and status, whatever its mates do (the first axis counts the samples)",
}


@runtime_checkable
class Engine(Protocol):
    """What executes a solve.

    An engine announces itself without importing its library; ``solve`` may. What it supports, ``control="sample"``
    among it, it says by ``unsupported``. Besides what it must have, it may have:

    - ``version``: that of the library behind it, or None; records name it, and another one is measured anew.
    - ``unavailable()``: one sentence why it runs nothing here, or None; its cells are then skipped.
    - ``order(method)``: the order of its steps, where they are not those of the tableau; `rkbench check` measures it.
    - ``facts(method)``: lines (label, text) that `rkbench show` adds to a method.
    - ``remarks(method, *, adaptive, gradient)``: what the reader of such a row should know, each a sentence without
      its full stop; the report states them. ``method`` is the tableau.
    - ``defects``: all that is known to be wrong with it, each with ``where`` and ``what``; `rkbench list` states them.
    - ``differentiates_times``: whether it takes tensors for times and gives them gradients; else they are refused.
    - ``own_spans``: whether it takes times that each sample of a batch has of its own, ``[samples]``; else it is given
      f over one span, in which each sample goes its own, and asked for the ends alone.
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
        speculative: whether a compiled adaptive solve first tries the steps of the last solve of the same f, all in
            one graph. Their errors are controlled all the same, but which steps are taken depends on what was
            solved before.
        max_steps: the most steps, accepted and rejected, before giving up.
        adjoint_rtol: ``rtol`` of the solve back in time; the same unless given.
        adjoint_atol: ``atol`` of the solve back in time; the same unless given.
        seminorm: whether the error control of the solve back in time leaves the parameter gradient out: nothing
            depends on it, and it costs steps (Kidger et al. 2021, arXiv:2009.09457).
        checkpoints: how many states the gradients `SPARING` keep: segments for ``segments``, snapshots at a time for
            ``binomial``; about √N and log2 N unless given.

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
    speculative: bool = False
    max_steps: int = 10_000
    adjoint_rtol: float | None = None
    adjoint_atol: float | None = None
    seminorm: bool = True
    checkpoints: int | None = None

    def __post_init__(self) -> None:
        self._refuse_unknown()
        self._read_steps()
        self._refuse_steps()
        self._refuse_speculation()
        self._refuse_adjoint()
        self._refuse_checkpoints()
        self._refuse_control()
        if self.adaptive:
            _refuse_tolerances("", self.rtol, self.atol)
        reason = self.engine.unsupported(self)
        if reason:
            raise SolverError(f"The engine {self.engine.name} cannot run {self.method.name}: {reason}")

    @property
    def adaptive(self) -> bool:
        """Whether errors choose the steps."""
        return self.controller.adaptive

    @property
    def adjoint_tolerances(self) -> tuple[float, float]:
        """(rtol, atol) of the solve back in time."""
        return (
            self.rtol if self.adjoint_rtol is None else self.adjoint_rtol,
            self.atol if self.adjoint_atol is None else self.adjoint_atol,
        )

    def _refuse_unknown(self) -> None:
        for kind, value, known in (
            ("norm", self.norm, NORMS),
            ("control", self.control, CONTROLS),
            ("gradient", self.gradient, GRADIENTS),
        ):
            if value not in known:
                raise SolverError(f"There is no {kind} {value!r}; choose one of: {', '.join(known)}.")

    def _read_steps(self) -> None:
        """Take any kind of whole number, numpy's too, as a Python int."""
        try:
            whole = None if self.steps is None else operator.index(self.steps)
        except TypeError:
            whole = 0
        if whole is not None and (whole < 1 or isinstance(self.steps, bool)):
            raise SolverError(f"steps must be a whole number from 1 on, not {self.steps!r}.")
        object.__setattr__(self, "steps", whole)

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
        if prescribed is not None and self.steps is not None:
            raise SolverError(f"replay takes its own steps, so steps={self.steps} has no meaning; drop it.")
        if self.max_steps < 1:
            raise SolverError(f"max_steps must be at least 1, not {self.max_steps}.")

    def _refuse_speculation(self) -> None:
        if self.speculative and not (self.compile and self.adaptive):
            raise SolverError(
                "speculative=True tries remembered steps as one graph; give compile=True and no steps, or drop it."
            )

    def _refuse_adjoint(self) -> None:
        if self.adjoint_rtol is self.adjoint_atol is None and self.seminorm:
            return
        if self.gradient not in CONTINUOUS or not self.adaptive:
            raise SolverError(
                "adjoint_rtol, adjoint_atol and seminorm steer an adaptive solve back in time; drop them, or give "
                "gradient='adjoint' and no steps."
            )
        _refuse_tolerances("adjoint_", *self.adjoint_tolerances)

    def _refuse_checkpoints(self) -> None:
        if self.checkpoints is None:
            return
        if self.gradient not in SPARING:
            raise SolverError(
                f"checkpoints={self.checkpoints!r} has no meaning for gradient={self.gradient!r}; drop it, or give "
                "gradient='segments' or 'binomial'."
            )
        if (
            not isinstance(self.checkpoints, int)
            or isinstance(self.checkpoints, bool)
            or self.checkpoints < 1
        ):
            raise SolverError(f"checkpoints must be a whole number from 1 on, not {self.checkpoints!r}.")

    def _refuse_control(self) -> None:
        if self.control != "sample":
            return
        if not self.adaptive:
            raise SolverError(
                f"{self.method.name}: control='sample' gives each sample its own steps, and equal steps are the same "
                "for all; drop it, or give rtol and atol instead of steps."
            )
        if self.norm != "rms":
            raise SolverError(
                f"control='sample' looks at each sample alone already, so norm={self.norm!r} has no meaning; drop it."
            )
        if self.gradient not in SAMPLEWISE:
            raise SolverError(
                f"gradient={self.gradient!r} takes the whole batch back by the same steps, so that control='sample' does "
                f"not fit; use gradient={' or '.join(map(repr, SAMPLEWISE))}."
            )
        if self.compile:
            raise SolverError(
                "control='sample' cannot be compiled: the batch shrinks on the way; drop compile=True."
            )


def _refuse_tolerances(which: str, rtol: float, atol: float) -> None:
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
            raise SolverError(f"{which}{name} must be a number from 0 on, not {value!r}; such as 1e-3.")
    if rtol == atol == 0:
        raise SolverError(
            f"{which}rtol and {which}atol are both 0, which no step can meet; give at least one of them."
        )
