"""The controllers of the literature. A filter is its exponents β (of errors) and α (of step ratios).

Values as in the references, for error norms in units of the tolerance and exponents in units of 1/k.
"""

from collections.abc import Sequence

from rkbench import FIXED, REPLAY, Citation, StepController, digital_filter

GUSTAFSSON = Citation(
    "Gustafsson", 1991, "Control theoretic techniques for stepsize selection in explicit Runge-Kutta methods",
    doi="10.1145/210232.210242",
)  # fmt: skip
HAIRER = Citation(
    "Hairer, Nørsett & Wanner", 1993, "Solving Ordinary Differential Equations I, section II.4",
    doi="10.1007/978-3-540-78862-1",
)  # fmt: skip
SODERLIND = Citation(
    "Söderlind", 2003, "Digital filters in adaptive time-stepping", doi="10.1145/641876.641877"
)


def _dopri5(errors: Sequence[float], ratios: Sequence[float], k: int) -> float:
    """Return e_n^-(1/k - 3/4 β) e_(n-1)^β with β = 0.04; past errors count as at least 1e-4, and start there."""
    beta = 0.04
    past = max(errors[1], 1e-4) if len(errors) > 1 else 1e-4
    return errors[0] ** -(1 / k - 0.75 * beta) * past**beta


CONTROLLERS = [
    FIXED,
    REPLAY,
    digital_filter("i", beta=(1,), source=HAIRER),
    digital_filter("pi", beta=(0.7, -0.4), source=GUSTAFSSON),
    StepController("pi_dopri5", propose=_dopri5, source=HAIRER),
    digital_filter("pi42", beta=(3 / 5, -1 / 5), source=SODERLIND),
    digital_filter("h211b", beta=(1 / 4, 1 / 4), alpha=(1 / 4,), source=SODERLIND),
    digital_filter("h211pi", beta=(1 / 6, 1 / 6), source=SODERLIND),
    digital_filter("h312pid", beta=(1 / 18, 1 / 9, 1 / 18), source=SODERLIND),
]
