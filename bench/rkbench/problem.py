"""Initial value problems with a reference answer: what the error of a solver is measured on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class InitialValueProblem:
    """y' = f(t, y), y(t0) = y0, and y(t1).

    Attributes:
        name: what reports call it.
        f: ``f(t, y)`` with y of shape ``[len(y0)]``; t a 0-dimensional tensor.
        y0: the initial state.
        t_span: (t0, t1).
        y1: the reference state at t1, correct to float64 round-off.
        reference: how ``y1`` is known.
    """

    name: str
    f: Callable[[Tensor, Tensor], Tensor]
    y0: tuple[float, ...]
    t_span: tuple[float, float]
    y1: tuple[float, ...]
    reference: str

    def initial(self, dtype: Any = None) -> Tensor:
        """Return y0 as a tensor ``[len(y0)]``, float64 unless told otherwise."""
        return _tensor(self.y0, dtype)

    def error(self, y: Tensor) -> float:
        """Return how far ``y`` is from y(t1): the largest component, relative to the size of y(t1) or 1."""
        exact = _tensor(self.y1, None).to(y.device)
        return float((y.detach().to(exact.dtype) - exact).abs().max() / max(1.0, exact.abs().max()))

    def backwards(self) -> InitialValueProblem:
        """Return the same curve, run from t1 to t0."""
        return replace(self, name=f"{self.name}_backwards", y0=self.y1, t_span=self.t_span[::-1], y1=self.y0)


def _tensor(values: tuple[float, ...], dtype: Any) -> Tensor:
    import torch

    return torch.tensor(values, dtype=dtype or torch.float64)


def _stacked(*components: Tensor) -> Tensor:
    import torch

    return torch.stack(components)


def _coupled(t: Tensor, y: Tensor) -> Tensor:
    y1, y2, y3, y4 = y
    return _stacked(2 * t * y2**0.2 * y4, 10 * t * (5 * (y3 - 1)).exp() * y4, 2 * t * y4, -2 * t * y1.log())


def coupled_solution(t: float) -> tuple[float, ...]:
    """Return the state of the curve that `COUPLED` follows."""
    s = math.sin(t * t)
    return math.exp(s), math.exp(5 * s), s + 1, math.cos(t * t)


COUPLED = InitialValueProblem(
    "coupled", _coupled, coupled_solution(0.5), (0.5, 1.0), coupled_solution(1.0), reference="closed form"
)
"""Four components that feed each other and t: no order condition, with t or without, is invisible on it."""

DECAY = InitialValueProblem(
    "decay", lambda t, y: -y, (1.0,), (0.0, 2.0), (math.exp(-2),), reference="closed form"
)
"""y' = -y."""

OSCILLATOR = InitialValueProblem(
    "oscillator",
    lambda t, y: _stacked(y[1], -y[0]),
    (1.0, 0.0),
    (0.0, 10.0),
    (math.cos(10), -math.sin(10)),
    reference="closed form",
)
"""y'' = -y over one and a half periods."""

SINE = InitialValueProblem(
    "sine",
    lambda t, y: y.sin(),
    (1.0,),
    (0.0, 2.0),
    (2 * math.atan(math.exp(2) * math.tan(0.5)),),
    reference="closed form",
)
"""y' = sin y, on its way to π."""

LOGISTIC = InitialValueProblem(
    "logistic",
    lambda t, y: y * (1 - y),
    (0.1,),
    (0.0, 5.0),
    (1 / (1 + 9 * math.exp(-5)),),
    reference="closed form",
)
"""y' = y (1 - y)."""

TAYLOR = "mpmath's Taylor series integrator, 30 digits, tolerance 1e-26"

VAN_DER_POL = InitialValueProblem(
    "van_der_pol",
    lambda t, y: _stacked(y[1], (1 - y[0] ** 2) * y[1] - y[0]),
    (2.0, 0.0),
    (0.0, 5.0),
    (-0.83707745029476505, 1.3070889377996718),
    reference=TAYLOR,
)
"""The oscillator of van der Pol with μ = 1, not stiff yet; most of a period."""

LORENZ = InitialValueProblem(
    "lorenz",
    lambda t, y: _stacked(10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]),
    (1.0, 1.0, 1.0),
    (0.0, 2.0),
    (-8.1734999322422496, -9.5620236867987995, 24.620702049679666),
    reference=TAYLOR,
)
"""Lorenz' equations for a few sharp turns; short enough that chaos does not magnify an early error yet."""

PROBLEMS = {
    problem.name: problem for problem in (COUPLED, DECAY, LOGISTIC, LORENZ, OSCILLATOR, SINE, VAN_DER_POL)
}
"""The catalogue, by name."""
