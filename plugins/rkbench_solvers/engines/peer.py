"""What every adapter shares: what it refuses, the problem it is given, and the answer it gives back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rkbench import ButcherTableau, NativeEngine, Solution, Solver, SolverError, Stats, Status
from rkbench_solvers.engines.defect import Defect, remarks
from rkbench_solvers.engines.shipped import Shipped, find, nearest

if TYPE_CHECKING:
    from torch import Tensor


class Peer(ABC):
    """An engine that hands the solve to a library.

    Attributes:
        name: how users ask for it.
        library: the module to import.
        methods: what the library can run.
        gradients: how it can be differentiated.
        controls: what can share a step size.
        compiling: what it does about compilation, as the beginning of a sentence.
        defects: known defects of the library.
    """

    name = ""
    library = ""
    methods: tuple[Shipped, ...] = ()
    gradients: tuple[str, ...] = ("backprop",)
    controls: tuple[str, ...] = ("batch",)
    compiling = "it is run as shipped, uncompiled"
    defects: tuple[Defect, ...] = ()

    @property
    def version(self) -> str | None:
        """The version of the library that is installed, or None; the library is not imported."""
        try:
            return version(self.library)
        except PackageNotFoundError:
            return None

    def remarks(
        self, method: ButcherTableau, *, adaptive: bool, gradient: str = "backprop"
    ) -> tuple[str, ...]:
        """Return a sentence, without its full stop, for each known defect that bears on a row.

        Args:
            method: the tableau.
            adaptive: whether it takes tolerances rather than equal steps.
            gradient: its name, as in a record.
        """
        return remarks(self.defects, method.name, adaptive, gradient)

    def unavailable(self) -> str | None:
        """Return one sentence why nothing can be run here, or None; the library is not imported."""
        if find_spec(self.library) is None:
            return f"{self.library} is not installed; pip install 'rkbench[peers]'."
        return None

    def unsupported(self, solver: Solver) -> str | None:
        """Return one sentence why ``solver`` cannot be run, or None."""
        return self.unavailable() or self._refused_option(solver) or self._refused_method(solver)

    def _refused_option(self, solver: Solver) -> str | None:
        if solver.compile:
            return f"{self.compiling}; drop compile=True."
        if solver.gradient not in self.gradients:
            own = " and ".join(self.gradients)
            return f"its gradient is {own}, and not {solver.gradient}; use gradient={self.gradients[0]!r}."
        return self._refused_control(solver)

    def _refused_control(self, solver: Solver) -> str | None:
        """What the library does not do as rkbench means it."""
        if solver.norm != "rms":
            return "it controls the root mean square; use norm='rms'."
        if solver.control not in self.controls:
            return "it controls the batch as a whole; use control='batch'."
        if solver.adaptive and solver.controller.name != "i":
            return f"it has its own I controller and not {solver.controller.name}; use controller='i'."
        if not solver.adaptive and solver.controller.prescribed is not None:
            return "it cannot replay prescribed steps; give steps=10, say."
        return None

    def _refused_method(self, solver: Solver) -> str | None:
        method, adaptive = solver.method, solver.adaptive
        if find(self.methods, method, adaptive) is not None:
            return None
        known = (defect.what for defect in self.defects if defect.where == method.name)
        what = next(known, None) or nearest(self.methods, method, adaptive)
        return f"{what}; change the method or the engine."

    def solve(
        self,
        solver: Solver,
        f: Callable[..., Any],
        y0: Tensor,
        t_span: Sequence[float],
        t_eval: Sequence[float] | None = None,
    ) -> Solution:
        """Integrate y' = f(t, y), y(t0) = y0 over ``t_span``; see `rkbench.Engine`.

        Raises:
            SolverError: the times do not fit together, or the library cannot do what is asked.
        """
        t0, t1 = map(float, t_span)
        if t0 == t1:  # nothing to solve, so the library is not asked
            return NativeEngine().solve(solver, f, y0, t_span, t_eval)
        return self.run(Problem(solver, Counted(f), y0, t0, t1, _checked(t0, t1, t_eval)))

    @abstractmethod
    def run(self, problem: Problem) -> Solution:
        """Hand a problem with t0 ≠ t1 to the library."""

    def theirs(self, solver: Solver) -> str:
        """Return the library's name for the method of a solver it supports."""
        shipped = find(self.methods, solver.method, solver.adaptive)
        assert shipped is not None
        return shipped.theirs


class Counted:
    """f with a counter, and the last time it was called at."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.calls = 0
        self.t: Any = math.nan

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y)."""
        self.calls += 1
        self.t = t
        return self.f(t, y)


@dataclass(frozen=True)
class Problem:
    """One solve, as the libraries want it told.

    Attributes:
        solver: method, controller, tolerances or steps.
        f: the right-hand side, counted.
        y0: the state at t0.
        t0: where it starts.
        t1: where it ends, not t0.
        times: the output times, ordered from t0 to t1.
    """

    solver: Solver
    f: Counted
    y0: Tensor
    t0: float
    t1: float
    times: tuple[float, ...] = field(repr=False)

    @property
    def direction(self) -> float:
        """1 when time runs forward, -1 when it runs backward."""
        return math.copysign(1.0, self.t1 - self.t0)

    @property
    def h(self) -> float:
        """The signed size of the equal steps."""
        assert self.solver.steps is not None
        return (self.t1 - self.t0) / self.solver.steps

    @cached_property
    def stops(self) -> list[float]:
        """t0, the output times and t1, each once, in the direction of time."""
        return sorted({self.t0, *self.times, self.t1}, reverse=self.direction < 0)

    @cached_property
    def grid(self) -> list[float]:
        """The times between equal steps and the output times; those that only round-off parts are one."""
        near = 1e-12 * abs(self.t1 - self.t0)
        assert self.solver.steps is not None
        equal = (self.t0 + i * self.h for i in range(1, self.solver.steps))
        free = (t for t in equal if all(abs(t - stop) > near for stop in self.stops))
        return sorted([*self.stops, *free], reverse=self.direction < 0)

    def solved(self, rows: Tensor, stats: Stats, steps: Sequence[float] = ()) -> Solution:
        """Return the solution whose states at `stops` are ``rows``; where t1 alone is asked for, the last will do."""
        if self.times == (self.t1,):
            rows = rows[-1:]
        elif self.times != tuple(self.stops):
            rows = rows[[self.stops.index(t) for t in self.times]]
        return Solution(self.times, rows, stats, tuple(steps), self.t1)

    def failed(self, status: Status, t: float, stats: Stats, steps: Sequence[float] = ()) -> Solution:
        """Return a solution that ended at ``t``, or at t0 when that is not known to be later.

        Libraries keep nothing of a failed solve, so only y(t0) is given.
        """
        import torch

        lost = torch.full_like(self.y0, math.nan)
        rows = [self.y0 if time == self.t0 else lost for time in self.times]
        y = torch.stack(rows) if rows else self.y0.new_empty((0, *self.y0.shape))
        return Solution(self.times, y, stats, tuple(steps), t if math.isfinite(t) else self.t0, status)


def _checked(t0: float, t1: float, t_eval: Sequence[float] | None) -> tuple[float, ...]:
    """Return the output times, or refuse those that are not finite, outside the span or against its direction."""
    times = (t0, t1) if t_eval is None else tuple(map(float, t_eval))
    route = [t0, *times, t1]
    ordered = sorted(route, reverse=t1 < t0) == route
    if not ordered or not all(map(math.isfinite, route)):
        raise SolverError(
            f"The times must be finite and run from t0 = {t0:g} to t1 = {t1:g}; sort, cut or mend t_eval."
        )
    return times
