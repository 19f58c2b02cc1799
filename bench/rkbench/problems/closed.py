"""Problems whose solution has a closed form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rkbench.problem import InitialValueProblem
from rkbench.problems.stacked import stacked

if TYPE_CHECKING:
    from torch import Tensor

REFERENCE = "closed form"


def _coupled(t: Tensor, y: Tensor) -> Tensor:
    y1, y2, y3, y4 = y
    return stacked(2 * t * y2**0.2 * y4, 10 * t * (5 * (y3 - 1)).exp() * y4, 2 * t * y4, -2 * t * y1.log())


def coupled_solution(t: float) -> tuple[float, ...]:
    """Return the state of the curve that `COUPLED` follows."""
    s = math.sin(t * t)
    return math.exp(s), math.exp(5 * s), s + 1, math.cos(t * t)


COUPLED = InitialValueProblem(
    "coupled",
    _coupled,
    coupled_solution(0.5),
    (0.5, 1.0),
    coupled_solution(1.0),
    REFERENCE,
    "four components that feed each other and t: no order condition is invisible on it",
)

DECAY = InitialValueProblem(
    "decay", lambda t, y: -y, (1.0,), (0.0, 2.0), (math.exp(-2),), REFERENCE, "y' = -y"
)

OSCILLATOR = InitialValueProblem(
    "oscillator",
    lambda t, y: stacked(y[1], -y[0]),
    (1.0, 0.0),
    (0.0, 10.0),
    (math.cos(10), -math.sin(10)),
    REFERENCE,
    "y'' = -y over one and a half periods",
)

SINE = InitialValueProblem(
    "sine",
    lambda t, y: y.sin(),
    (1.0,),
    (0.0, 2.0),
    (2 * math.atan(math.exp(2) * math.tan(0.5)),),
    REFERENCE,
    "y' = sin y, on its way to π",
)

LOGISTIC = InitialValueProblem(
    "logistic",
    lambda t, y: y * (1 - y),
    (0.1,),
    (0.0, 5.0),
    (1 / (1 + 9 * math.exp(-5)),),
    REFERENCE,
    "y' = y (1 - y)",
)

PROBLEMS = (COUPLED, DECAY, OSCILLATOR, SINE, LOGISTIC)
