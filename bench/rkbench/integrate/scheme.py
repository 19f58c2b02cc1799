"""A tableau made ready to run: floats, without the stages that nothing needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rkbench.tableau import ButcherTableau

Weights = tuple[tuple[int, float], ...]
"""(stage, weight) of the non-zero weights."""


@dataclass(frozen=True)
class Scheme:
    """What one step computes.

    Attributes:
        stages: the stages to evaluate, in order; (stage, c, weights of the earlier slopes).
        b: weights of the solution carried forward.
        sums: the same as (weight, stages that share it): summed first, they are multiplied once, there and back.
        error: b - b̂, empty when errors are not looked at.
        error_low: b - b̂_low, for the stretched estimate.
        dense: per stage, the coefficients of θ, θ², … of the dense output; empty when not asked for.
        fsal: whether the last stage opens the next step.
        starts_at_t: whether the first stage is f(t, y), so that it survives a rejection.
    """

    stages: tuple[tuple[int, float, Weights], ...]
    b: Weights
    sums: tuple[tuple[float, tuple[int, ...]], ...]
    error: Weights
    error_low: Weights
    dense: tuple[tuple[int, tuple[float, ...]], ...]
    fsal: bool
    starts_at_t: bool
    carries: tuple[int, ...]

    @property
    def final(self) -> int:
        """The stage whose input is the new state, which spares computing it twice; -1 without one."""
        return self.stages[-1][0] if self.fsal else -1


@lru_cache(maxsize=256)
def scheme(method: ButcherTableau, estimates_error: bool, dense: bool) -> Scheme:
    """Return the step of ``method``, computing only what is used.

    An FSAL method on equal steps, say, never evaluates its last stage: it only serves the error estimate.
    """
    error = method.error_weights if estimates_error else None
    error_low = method.error_weights_low if estimates_error else None
    polynomials = method.interpolation if dense else None
    wanted = {i for row in (method.b, error, error_low) if row for i, x in enumerate(row) if x}
    wanted |= {i for i, row in enumerate(polynomials or ()) if any(row)}
    used = _with_ancestors(method, wanted)
    return Scheme(
        stages=tuple((i, float(method.c[i]), _nonzero(method.a[i])) for i in used),
        b=_nonzero(method.b),
        sums=_shared(_nonzero(method.b)),
        error=_nonzero(error or ()),
        error_low=_nonzero(error_low or ()),
        dense=tuple((i, tuple(map(float, row))) for i, row in enumerate(polynomials or ()) if any(row)),
        fsal=method.fsal and used[-1] == method.stages - 1,
        starts_at_t=method.c[0] == 0 and used[0] == 0,
        carries=_with_ancestors(method, {i for i, x in enumerate(method.b) if x}),
    )


def _with_ancestors(method: ButcherTableau, wanted: Iterable[int]) -> tuple[int, ...]:
    """Return the stages ``wanted``, and all that they are computed from."""
    needed = set(wanted)
    for i in reversed(range(method.stages)):
        if i in needed:
            needed |= {j for j, x in enumerate(method.a[i]) if x}
    return tuple(sorted(needed))


def _shared(weights: Weights) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """Return each weight once, with the stages that have it."""
    values = dict.fromkeys(w for _, w in weights)
    return tuple((value, tuple(j for j, w in weights if w == value)) for value in values)


def _nonzero(row: Iterable) -> Weights:
    return tuple((j, float(x)) for j, x in enumerate(row) if x)
