"""Nonlinear oscillators: smooth, not stiff, with fast and slow phases."""

from __future__ import annotations

from rkbench.problem import InitialValueProblem
from rkbench.problems.answers import ANSWERS, EXTRAPOLATION
from rkbench.problems.stacked import stacked

VAN_DER_POL = InitialValueProblem(
    "van_der_pol",
    lambda t, y: stacked(y[1], (1 - y[0] ** 2) * y[1] - y[0]),
    (2.0, 0.0),
    (0.0, 5.0),
    ANSWERS["van_der_pol"],
    EXTRAPOLATION,
    "van der Pol's oscillator with μ = 1, not stiff yet; most of a period",
)

LORENZ = InitialValueProblem(
    "lorenz",
    lambda t, y: stacked(10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]),
    (1.0, 1.0, 1.0),
    (0.0, 2.0),
    ANSWERS["lorenz"],
    EXTRAPOLATION,
    "Lorenz' equations for a few sharp turns; too short for chaos to magnify an early error",
)

BRUSSELATOR = InitialValueProblem(
    "brusselator",
    lambda t, y: stacked(1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]),
    (1.5, 3.0),
    (0.0, 20.0),
    ANSWERS["brusselator"],
    EXTRAPOLATION,
    "the Brusselator on its limit cycle (Hairer, Nørsett & Wanner I, section II.4)",
)

PROBLEMS = (VAN_DER_POL, LORENZ, BRUSSELATOR)
