"""The order at which errors are seen to shrink.

The engine runs in float64, where errors of a high order sink into round-off before they have settled to their
leading term. What float64 cannot resolve is measured with the exact tableau in `DIGITS`-digit arithmetic, on the
error of one step that is small enough for its leading term to stand alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rkbench.conformance.check import Verdict
from rkbench.conformance.trials import SPAN, family, family_state, rms, run, slope
from rkbench.integrate.error import error_norm
from rkbench.integrate.field import Field
from rkbench.integrate.scheme import scheme
from rkbench.integrate.step import take_step
from rkbench.interface import make_solver
from rkbench.registry import Registry
from rkbench.tableau import ButcherTableau

DIGITS = 120

MARGIN = 100
"""How far an error must lie above the smallest one, where that may be round-off, to count."""

ROUND_OFF = 1e-10
"""An error below this may be round-off: some coefficients are in the hundreds."""

SMALLEST_STEP = 2.0**-20

SETTLED_STEP = 2.0**-8
"""A step at which the leading term may not stand alone yet."""


def tolerance(order: int) -> float:
    """Return how far an observed power of h may be off: high ones settle late."""
    return 0.2 if order < 6 else 0.5


def observed_order(method: ButcherTableau, registry: Registry) -> Verdict:
    """Compare the order claimed with the one seen on a non-autonomous problem."""
    exact = family_state(SPAN[1])

    def error(steps: int) -> float:
        y = run(method, family, family_state(SPAN[0]), SPAN, registry, steps=steps).y[-1]
        return rms((y - exact) / exact.abs().clamp(min=1))

    in_float64 = last_slope([error(2**j) for j in range(1, 9)])
    return verdict(method, method.order, in_float64, lambda h: exact_slope(method, _step_error, h) - 1)


def observed_estimate(method: ButcherTableau, registry: Registry) -> Verdict:
    """Compare the power of h claimed for the error estimate with the one seen in single steps."""
    assert method.error_exponent is not None
    in_float64 = last_slope([_engine_estimate(method, registry, 2.0**-j) for j in range(1, 11)])
    return verdict(method, method.error_exponent, in_float64, lambda h: exact_slope(method, _estimate, h))


def verdict(
    method: ButcherTableau, claimed: int, in_float64: float, exactly: Callable[[float], float]
) -> Verdict:
    """Judge by float64, or by long arithmetic when that disagrees.

    Rounded coefficients drown small steps in their own errors. Where no step is left that shows the leading term
    alone, errors that shrink no slower than claimed are all that can be asked for.
    """
    if abs(in_float64 - claimed) <= tolerance(claimed):
        return True, f"{in_float64:.2f} for {claimed}"
    h = _resolved_step(method)
    if h > SETTLED_STEP:
        detail = f"{in_float64:.2f} for {claimed}; the digits given resolve no more"
        return in_float64 > claimed - tolerance(claimed), detail
    seen = exactly(h)
    detail = f"{seen:.2f} for {claimed}, in {DIGITS}-digit arithmetic; float64 resolves only {in_float64:.2f}"
    return abs(seen - claimed) <= tolerance(claimed), detail


def _resolved_step(method: ButcherTableau) -> float:
    """Return the least step whose leading error stands clear of what rounded coefficients leave."""
    residual = max(proof.residual for proof in method.proofs.values())
    return max(SMALLEST_STEP, (1e6 * residual / method.principal_error_norm) ** (1 / method.order))


def last_slope(errors: Sequence[float]) -> float:
    """Return the power of h between the last two errors that lie clear of round-off; NaN without two."""
    finite = [e for e in errors if math.isfinite(e) and e > 0]
    least = min(finite, default=0.0)
    clear = [e for e in finite if least > ROUND_OFF or e > MARGIN * least]
    return slope(*clear[-2:]) if len(clear) > 1 else math.nan


def _engine_estimate(method: ButcherTableau, registry: Registry, h: float) -> float:
    """Return the norm of the engine's error estimate of one step, in units of 1."""
    solver = make_solver(method, plugins=registry, rtol=0.0, atol=1.0)
    y0, steps = family_state(0.0), scheme(method, True, False)
    f = Field(family, y0, 0.0, 1.0)
    y, k = take_step(steps, f, f.stage_times(steps, 0.0, h), y0, h, {})
    return error_norm(solver, steps, y0, y, k, h)


# Long arithmetic: the tableau as exact as it was given, one step, on the curve through t = 1/2.


@dataclass(frozen=True)
class Step:
    """One step in long arithmetic: its size, its slopes by stage, where it started."""

    h: Any
    slopes: list[list[Any]]
    y: list[Any]

    def moved(self, weights: Sequence[Any]) -> list[Any]:
        """Return h Σ w_i k_i."""
        terms = [(_long(w), k) for w, k in zip(weights, self.slopes, strict=True) if w]
        return [self.h * sum(w * k[component] for w, k in terms) for component in range(len(self.y))]


def long_steps(method: ButcherTableau, h: Any, count: int) -> Iterator[tuple[Step, list[Any]]]:
    """Yield each of ``count`` steps and the state after it, from t = 1/2; inside `mpmath.workdps`."""
    import mpmath

    t, y = mpmath.mpf("0.5"), long_state(mpmath.mpf("0.5"))
    for _ in range(count):
        step = Step(h, [], y)
        for c, row in zip(method.c, method.a, strict=True):
            weights = [*row, *[0] * (method.stages - len(row))][: len(step.slopes)]
            at = [x + dx for x, dx in zip(y, step.moved(weights), strict=True)]
            step.slopes.append(_long_field(t + _long(c) * h, at))
        y = [x + dx for x, dx in zip(y, step.moved(method.b), strict=True)]
        t += h
        yield step, y


def long_state(t: Any) -> list[Any]:
    """Return the exact solution of the coupled problem."""
    import mpmath

    s = mpmath.sin(t * t)
    return [mpmath.exp(s), mpmath.exp(5 * s), s + 1, mpmath.cos(t * t)]


def _long_field(t: Any, y: Sequence[Any]) -> list[Any]:
    import mpmath

    y1, y2, y3, y4 = y
    fifth = mpmath.root(y2, 5)
    return [2 * t * fifth * y4, 10 * t * mpmath.exp(5 * (y3 - 1)) * y4, 2 * t * y4, -2 * t * mpmath.log(y1)]


def _long(x: Any) -> Any:
    import mpmath

    return mpmath.mpf(x.numerator) / x.denominator


def exact_slope(method: ButcherTableau, size: Callable[[ButcherTableau, Any], Any], h: float) -> float:
    """Return the power of h at which a quantity of one step of size ``h`` shrinks."""
    import mpmath

    with mpmath.workdps(DIGITS):
        step = mpmath.mpf(h)
        return float(mpmath.log(size(method, step) / size(method, step / 2), 2))


def _step_error(method: ButcherTableau, h: Any) -> Any:
    import mpmath

    ((_, y),) = long_steps(method, h, 1)
    return mpmath.norm([x - e for x, e in zip(y, long_state(mpmath.mpf("0.5") + h), strict=True)])


def _estimate(method: ButcherTableau, h: Any) -> Any:
    import mpmath

    ((step, _),) = long_steps(method, h, 1)
    e = mpmath.norm(step.moved(method.error_weights or ()))
    if method.error_weights_low is None:
        return e
    return e**2 / mpmath.sqrt(e**2 + mpmath.norm(step.moved(method.error_weights_low)) ** 2 / 100)
