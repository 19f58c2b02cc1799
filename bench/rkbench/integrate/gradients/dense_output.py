"""The state at any time of a finished solve: by the method's own interpolation, else by cubic Hermite polynomials.

A cubic Hermite polynomial takes the states and slopes at both ends of a step; its error is O(h⁴), whatever the
order of the method (Hairer, Nørsett & Wanner I, section II.6). It keeps two tensors per step, and f at the end of a
step is the first slope of the next. An own interpolation of degree q keeps the state and q coefficients per step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from rkbench.integrate.field import Field
from rkbench.integrate.gradients.tape import Taken
from rkbench.integrate.scheme import scheme
from rkbench.integrate.step import Slopes, combine, take_step, weighted
from rkbench.tableau import ButcherTableau


class OwnInterpolation:
    """y + h Σ_p θ^p Σ_i b_ip k_i, with the polynomials b_i(θ) = Σ_p b_ip θ^p of the tableau."""

    def __init__(self, method: ButcherTableau) -> None:
        self._scheme = scheme(method, False, True)
        self._last = method.stages - 1 if method.fsal else None
        rows = self._scheme.dense
        degree = max(len(row) for _, row in rows)
        columns = [tuple((i, row[p]) for i, row in rows if p < len(row) and row[p]) for p in range(degree)]
        self._columns = [(p, column) for p, column in enumerate(columns, 1) if column]
        self.kept = self.width = 1 + len(self._columns)

    def tensors(
        self, f: Field, step: Taken, y: Tensor, k: Slopes, slope_at_end: Tensor | None
    ) -> list[Tensor]:
        """Return what to keep of a step from ``y``; stages that it lacks are evaluated."""
        if self._last is not None and slope_at_end is not None:
            k = {self._last: slope_at_end} | k
        if any(stage not in k for stage, _, _ in self._scheme.stages):
            times = f.stage_times(self._scheme, step.t, step.h)
            _, k = take_step(self._scheme, f, times, y, step.h, k)
        return [y, *(weighted(k, column, 1.0) for _, column in self._columns)]

    def end(self, f: Field, step: Taken, y: Tensor, k: Slopes) -> list[Tensor]:
        """Return what to keep of the end of the last step: nothing."""
        return []

    def at(self, tensors: Sequence[Tensor], h: float, theta: float) -> Tensor:
        """Return the state at the fraction ``theta`` of the step."""
        y, *coefficients = tensors
        weights = tuple((i, theta**p) for i, (p, _) in enumerate(self._columns))
        return combine(y, dict(enumerate(coefficients)), weights, h)


class Hermite:
    """The cubic polynomial through states and slopes at both ends of the step."""

    kept, width, order = 2, 4, 3

    def __init__(self, method: ButcherTableau) -> None:
        self._starts_at_t = method.c[0] == 0
        self._last = method.stages - 1 if method.fsal else -1

    def tensors(
        self, f: Field, step: Taken, y: Tensor, k: Slopes, slope_at_end: Tensor | None
    ) -> list[Tensor]:
        """Return what to keep of a step from ``y``; what is at its end, the next step keeps."""
        return [y, k[0] if self._starts_at_t and 0 in k else f.at(step.t, y)]

    def end(self, f: Field, step: Taken, y: Tensor, k: Slopes) -> list[Tensor]:
        """Return what to keep of the end of the last step, which led to ``y``."""
        return [y, k[self._last] if self._last in k else f.at(step.end, y)]

    def at(self, tensors: Sequence[Tensor], h: float, theta: float) -> Tensor:
        """Return the state at the fraction ``theta`` of the step."""
        y, slope, y_end, slope_end = tensors
        rest = 1 - theta
        out = combine(y, {0: slope, 1: slope_end}, ((0, theta * rest**2), (1, -(theta**2) * rest)), h)
        return out.add_(y_end - y, alpha=theta**2 * (3 - 2 * theta))


Interpolation = OwnInterpolation | Hermite


def interpolation_of(method: ButcherTableau) -> Interpolation:
    """Return the method's own interpolation, or the cubic one."""
    return Hermite(method) if method.interpolation is None else OwnInterpolation(method)


@dataclass(frozen=True)
class DenseOutput:
    """t -> y(t) over the steps of a solve.

    Attributes:
        interpolation: how a step is interpolated.
        steps: the steps.
        tensors: what was kept of them.
    """

    interpolation: Interpolation
    steps: Sequence[Taken]
    tensors: Sequence[Tensor]

    def __call__(self, t: float) -> Tensor:
        """Return the state at ``t``."""
        start = self.steps[0].t
        n = bisect_right(self.steps, abs(t - start), lo=1, key=lambda step: abs(step.t - start)) - 1
        step, first = self.steps[n], n * self.interpolation.kept
        tensors = self.tensors[first : first + self.interpolation.width]
        return self.interpolation.at(tensors, step.h, (t - step.t) / step.h)


class DenseRecord:
    """Keeps what the interpolation needs, one step late, when the next has found the slope at the end of this one.

    Args:
        interpolation: what to keep it for.
        f: the right-hand side, evaluated for slopes that the solve does not find; ``f.calls`` tells how often.
    """

    def __init__(self, interpolation: Interpolation, f: Field) -> None:
        self.tensors: list[Tensor] = []
        self._interpolation, self._f = interpolation, f
        self._late: tuple[Taken, Tensor, Slopes, Tensor] | None = None

    def watch(self, step: Taken, y: Tensor, k: Slopes, y_new: Tensor) -> None:
        """Take the step that led from ``y`` to ``y_new``."""
        self._settle(k.get(0))
        self._late = step, y, k, y_new

    def finish(self) -> None:
        """Keep the end of the last step."""
        self._settle(None)
        if self._late is not None:
            step, _, k, y_new = self._late
            self.tensors += self._interpolation.end(self._f, step, y_new, k)
            self._late = None

    def _settle(self, slope_at_end: Tensor | None) -> None:
        if self._late is not None:
            step, y, k, _ = self._late
            self.tensors += self._interpolation.tensors(self._f, step, y, k, slope_at_end)
