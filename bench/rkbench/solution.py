"""What a solve hands back: states, why it ended, and what it cost. A failure is a value with advice in it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Status(Enum):
    """How a solve ended; the value is the name in records, `advice` says what to do."""

    OK = "ok"
    MAX_STEPS = "max_steps"
    STEP_UNDERFLOW = "step_underflow"
    NON_FINITE = "non_finite"

    @property
    def advice(self) -> str:
        """One sentence for the user."""
        return _ADVICE[self]


_ADVICE = {
    Status.OK: "The solve reached t1.",
    Status.MAX_STEPS: "The step budget ran out before t1: raise max_steps, loosen rtol and atol, or look for "
    "stiffness (an explicit method then takes steps as small as stability asks).",
    Status.STEP_UNDERFLOW: "The step shrank below the resolution of t: loosen rtol and atol, use float64, or "
    "look for a discontinuity or singularity of f near the time reached.",
    Status.NON_FINITE: "f or the state became NaN or infinite: lower the learning rate, take smaller steps, or "
    "bound the growth of f.",
}


@dataclass
class Stats:
    """What a solve cost.

    What a backward pass adds is known beforehand, but for ``adjoint`` and ``interpolated``, whose second solve
    counts itself: ``nfe_backward`` and ``vjps`` are 0 until ``backward()`` has run, and grow with each run.

    Where each sample of a batch has its own steps, an evaluation is still one call of f, however many samples it
    holds. A call counts as accepted when it served a step of at least one sample, and ``accepted`` and ``rejected``
    are those of the sample with the most.

    Attributes:
        nfe_start: evaluations of f to choose the first step.
        nfe_accepted: evaluations in accepted steps; all of a fixed-step solve.
        nfe_rejected: evaluations in rejected steps.
        nfe_output: evaluations made only for output times.
        nfe_backward: evaluations that a backward pass through the outputs adds: 0 for ``backprop``, those of the
            accepted steps for ``checkpoint`` (unless nothing in f has to be kept for its gradient, as in y' = -y),
            those and all that lead there again for ``segments`` and ``binomial``.
        accepted: number of accepted steps.
        rejected: number of rejected steps.
        speculative: how many of the accepted steps were remembered from the solve before (`Solver.speculative`).
        vjps: vector-Jacobian products of f that a backward pass from y(t1) takes; 0 when the solve
            recorded no gradient.
    """

    nfe_start: int = 0
    nfe_accepted: int = 0
    nfe_rejected: int = 0
    nfe_output: int = 0
    nfe_backward: int = 0
    accepted: int = 0
    rejected: int = 0
    speculative: int = 0
    vjps: int = 0

    @property
    def nfe(self) -> int:
        """All evaluations of f in the forward solve."""
        return self.nfe_start + self.nfe_accepted + self.nfe_rejected + self.nfe_output


@dataclass(frozen=True)
class Samples:
    """How each sample of a batch fared that had its own steps, in the order of the batch.

    Attributes:
        status: how it ended.
        t_reached: how far it came.
        steps: its accepted signed step sizes.
        rejected: its number of rejected steps.
    """

    status: tuple[Status, ...]
    t_reached: tuple[float, ...]
    steps: tuple[tuple[float, ...], ...]
    rejected: tuple[int, ...]

    @property
    def accepted(self) -> tuple[int, ...]:
        """Its number of accepted steps."""
        return tuple(map(len, self.steps))

    @property
    def failed(self) -> tuple[int, ...]:
        """Which samples did not reach t1."""
        return tuple(i for i, status in enumerate(self.status) if status is not Status.OK)

    @property
    def ended(self) -> Status:
        """The status of the first sample that failed; OK without one."""
        return self.status[self.failed[0]] if self.failed else Status.OK

    @property
    def sentence(self) -> str:
        """Which samples failed, where, and what to do."""
        if not self.failed:
            return Status.OK.advice
        first = self.failed[0]
        return (
            f"{self.ended.name} at t = {self.t_reached[first]:.6g} after {self.accepted[first]} steps in sample {first}, "
            f"the first of {len(self.failed)} that failed out of {len(self.status)}. {self.ended.advice}"
        )


@dataclass(frozen=True)
class Solution:
    """The outcome of one solve.

    Attributes:
        t: the output times; (t0, t1) unless ``t_eval`` was given. Where each sample has its own, a float64 tensor
            ``[times, samples]``.
        y: ``[len(t), *y0.shape]``. After a failure, rows not reached hold NaN.
        stats: the counts.
        steps: the accepted signed step sizes; `rkbench.replay` takes them again.
        t_reached: how far the solve came; where the samples of a batch share steps over spans of their own, the share of
            them, 0 to 1.
        ended: the status as the loop knew it; a fixed-step loop never looks at the state.
        final: the state at t1 of a fixed-step solve, for the look at it that the loop did not take.
        samples: how each sample fared that had its own steps (``control="sample"``); None when they shared them.
            Then ``y`` holds NaN at the times that a failed sample did not reach, ``ended`` is that of the first
            one, ``t_reached`` is where the one that came least far ended, and ``steps`` is empty.
        retries: how many tries were rejected before each accepted step; empty where the engine does not tell.
    """

    t: tuple[float, ...] | Tensor
    y: Tensor
    stats: Stats
    steps: tuple[float, ...]
    t_reached: float
    ended: Status = Status.OK
    final: Tensor | None = None
    samples: Samples | None = None
    retries: tuple[int, ...] = ()

    @cached_property
    def status(self) -> Status:
        """How the solve ended. After a fixed-step solve the first look reads the state back once."""
        looked_at = [self.y.detach(), *([] if self.final is None else [self.final])]
        if self.ended is Status.OK and not all(bool(y.isfinite().all()) for y in looked_at):
            return Status.NON_FINITE
        return self.ended

    def _first_not_finite(self) -> float:
        """Return the first output time whose state is not finite, or the end."""
        if not isinstance(self.t, tuple):
            return self.t_reached
        finite = self.y.detach().flatten(1).isfinite().all(1).tolist() if self.t else []
        return next((t for t, good in zip(self.t, finite, strict=True) if not good), self.t_reached)

    @property
    def _axis(self) -> str:
        return "t" if isinstance(self.t, tuple) else "share of the spans"

    @property
    def sentence(self) -> str:
        """What happened, where, and what to do."""
        if self.status is Status.OK:
            return Status.OK.advice
        if self.ended is Status.OK:
            return (
                f"{self.status.name} by {self._axis} = {self._first_not_finite():.6g}. {self.status.advice}"
            )
        if self.samples is not None:
            return self.samples.sentence
        where = f"{self._axis} = {self.t_reached:.6g} after {self.stats.accepted} steps"
        return f"{self.status.name} at {where}. {self.status.advice}"


def trace(t0: float, steps: Sequence[float], retries: Sequence[int]) -> list[dict[str, float]]:
    """Return one row per accepted step: ``t`` where it starts, its size ``h``, and the tries ``rejected`` before it."""
    rows = zip(itertools.accumulate(steps, initial=t0), steps, retries or (0,) * len(steps), strict=False)
    return [{"t": t, "h": h, "rejected": rejected} for t, h, rejected in rows]
