"""A solve written down step by step, in numbers only, so that any of its steps can be taken again exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.output import Outputs
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes, take_step
from rkbench.solution import Solution
from rkbench.solver import Solver


class Taken(NamedTuple):
    """An accepted step from ``t`` by ``h`` to ``end``, and the output times that it served.

    ``inside`` holds (output, fraction of the step) of those between its ends, ``at_end`` the outputs at its end.
    """

    t: float
    h: float
    end: float
    inside: tuple[tuple[int, float], ...]
    at_end: tuple[int, ...]


@dataclass
class Tape:
    """The accepted steps of one solve, the outputs at t0, and what each step computed (None without a step)."""

    steps: list[Taken] = field(default_factory=list)
    at_start: tuple[int, ...] = ()
    scheme: Scheme | None = None

    @cached_property
    def lean(self) -> Scheme:
        """The scheme without the stages that only its error estimate needs."""
        scheme = self.scheme
        assert scheme is not None
        needed = {*scheme.carries, *(i for i, _ in scheme.dense), *([scheme.final] if scheme.fsal else [])}
        return replace(scheme, stages=tuple(stage for stage in scheme.stages if stage[0] in needed))

    def cut(self) -> None:
        """Forget the steps after the last output: no gradient comes from there."""
        while self.steps and not (self.steps[-1].inside or self.steps[-1].at_end):
            self.steps.pop()


Watch = Callable[[Taken, Tensor, Slopes, Tensor], None]
"""Sees each accepted step: its numbers, the state before, the slopes, the state after."""


class Recorder(Outputs):
    """Outputs that write the tape as the solve passes, and show every accepted step to ``watch``."""

    def __init__(
        self,
        t0: float,
        t1: float,
        times: tuple[float, ...],
        y0: Tensor,
        watch: Watch | None = None,
        tape: Tape | None = None,
    ) -> None:
        self.tape = tape or Tape()
        self._watch, self._t, self._span = watch, t0, (t0, t1)
        self._attempt: tuple[Tensor, float, Slopes] | None = None
        super().__init__(t0, t1, times, y0)
        self.tape.at_start = tuple(range(self._served))

    def solve(self, solver: Solver, f: Field, y0: Tensor) -> Solution:
        """Return the solve from t0 to t1, each of its steps remembered until it is known to be accepted."""
        road = Road(self._step, recomputed=lambda scheme, steps: 0)
        if solver.adaptive:
            return AdaptiveSolve(solver, f, y0, *self._span, self, road).run()
        return fixed_loop(solver.method, f, y0, grid(solver, *self._span), self, road)

    @property
    def _served(self) -> int:
        return len(self._y)

    def _step(
        self,
        scheme: Scheme,
        f: Callable[[Tensor, Tensor], Tensor],
        times: Mapping[int, Tensor],
        y: Tensor,
        h: float,
        k: Slopes,
    ) -> tuple[Tensor, Slopes]:
        self._attempt = None
        y_new, slopes = take_step(scheme, f, times, y, h, k)
        self.tape.scheme, self._attempt, self._inside = scheme, (y, h, slopes), self._served
        return y_new, slopes

    def record(self, t: float, y: Tensor) -> None:
        """Give the state at ``t``, the end of a step, or t0."""
        inner_end = self._served
        super().record(t, y)
        if self._attempt is None:  # at t0
            return
        before, h, slopes = self._attempt
        inside = tuple((i, (self.times[i] - self._t) / h) for i in range(self._inside, inner_end))
        taken = Taken(self._t, h, t, inside, tuple(range(inner_end, self._served)))
        self.tape.steps.append(taken)
        self._t, self._attempt = t, None
        if self._watch is not None:
            self._watch(taken, before, slopes, y)
