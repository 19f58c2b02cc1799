"""One sample of a batch: its own time, step size and history, and how far it came."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from rkbench.integrate.adaptive import STRETCH, StepSize
from rkbench.solution import Status


class Course(NamedTuple):
    """Where a sample is to go: from t0 to t1, and which of its states are wanted on the way.

    Attributes:
        t0: where it starts.
        t1: where it ends; where it starts, for a sample that stays.
        times: its output times.
    """

    t0: float
    t1: float
    times: tuple[float, ...]

    def reached(self, t: float, due: float) -> bool:
        """Return whether ``t`` lies at an output time or beyond it."""
        return t >= due if self.t1 > self.t0 else t <= due


class Stride(NamedTuple):
    """A step to try: its signed size, whether it was cut to land, and the time it leads to."""

    h: float
    clipped: bool
    t_next: float


@dataclass
class Sample:
    """Where a sample is, and what it has been through.

    Attributes:
        row: which sample of the batch.
        course: where it is to go.
        t: its time.
        due: the next output time, by its index.
        size: its step size and their history.
        steps: its accepted steps.
        rejected: how many were rejected.
        error: the error norm of its last attempt.
        status: how it ended; None while it runs.
    """

    row: int
    course: Course
    t: float
    due: int
    size: StepSize
    steps: list[float] = field(default_factory=list)
    rejected: int = 0
    error: float = 0.0
    status: Status | None = None

    def share(self) -> float:
        """Return how much of its way lies behind it, 0 to 1."""
        t0, t1, _ = self.course
        return 1.0 if t0 == t1 else (self.t - t0) / (t1 - t0)

    def stride(self, target: float) -> Stride:
        """Return the step to try, which does not lead beyond ``target``."""
        h, remaining = self.size.h, target - self.t
        if abs(h) * (1 + STRETCH) >= abs(remaining):
            return Stride(remaining, abs(remaining) < abs(h) * (1 - STRETCH), target)
        return Stride(h, False, self.t + h)

    def judge(self, stride: Stride, error: float) -> None:
        """Accept or reject an attempt, and choose the next step; at the end none is asked for."""
        self.error = error
        if not error <= 1.0:
            self.rejected += 1
            self.size.reject(error, stride.h)
            return
        self.t = stride.t_next
        self.steps.append(stride.h)
        if self.t == self.course.t1:
            self.status = Status.OK
        else:
            self.size.accept(error, stride.h, stride.clipped)

    def look(self, max_steps: int, resolution: float) -> None:
        """Give up, saying why, when it is stuck.

        Args:
            max_steps: the most steps, accepted and rejected.
            resolution: the least step that the state's dtype can hold.
        """
        if self.status is not None:
            return
        if len(self.steps) + self.rejected >= max_steps:
            self.status = Status.MAX_STEPS
        elif abs(self.size.h) < max(10 * math.ulp(self.t), resolution):
            self.status = Status.STEP_UNDERFLOW if math.isfinite(self.error) else Status.NON_FINITE
