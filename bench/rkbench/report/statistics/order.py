"""How fast errors fall: straight lines in logarithms by least squares, with the uncertainty of their slope.

A method of order p has errors that go as h^p when its steps h are small (Hairer, Nørsett & Wanner, Solving Ordinary
Differential Equations I, 1993, section II.3, doi 10.1007/978-3-540-78862-1); errors against work give the slope of a
work-precision diagram (section II.10).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from rkbench.report.statistics.estimate import LEVEL

ROUND_OFF = 1e-13
"""Relative error in float64 at and below which more steps no longer help, so that no line is drawn through it."""


class Slope(NamedTuple):
    """How many powers of ten an error falls for one power of ten more steps or work.

    Attributes:
        slope: by least squares; NaN with fewer than two rungs.
        error: its standard error; NaN with fewer than three rungs.
        low: lower end of its 95 % interval (Student's t).
        high: upper end.
        rungs: how many were used.
    """

    slope: float
    error: float
    low: float
    high: float
    rungs: int


def observed_order(
    steps: Sequence[float] | np.ndarray, errors: Sequence[float] | np.ndarray, round_off: float = ROUND_OFF
) -> Slope:
    """Return the order that errors at several numbers of equal steps show.

    Args:
        steps: numbers of steps, positive; shape [rungs].
        errors: errors at each, same shape. A rung that failed (NaN, infinity), that lies at or below ``round_off``, or
            that has more steps than the one with the smallest error, is left out.
        round_off: smallest error to be believed, such as 1e-5 in float32.
    """
    return _fall(steps, errors, round_off)


def precision_slope(
    work: Sequence[float] | np.ndarray, errors: Sequence[float] | np.ndarray, round_off: float = ROUND_OFF
) -> Slope:
    """Return how errors fall with work, in evaluations or seconds, of a ladder; arguments as in `observed_order`."""
    return _fall(work, errors, round_off)


def _fall(
    work: Sequence[float] | np.ndarray, errors: Sequence[float] | np.ndarray, round_off: float
) -> Slope:
    x, y = np.asarray(work, dtype=float), np.asarray(errors, dtype=float)
    believed = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > round_off)
    x, y = x[believed], y[believed]
    if y.size:
        falling = x <= x[np.argmin(y)]
        x, y = x[falling], y[falling]
    if np.unique(x).size < 2:
        return Slope(math.nan, math.nan, math.nan, math.nan, x.size)
    return _line(np.log(x), -np.log(y))


def _line(x: np.ndarray, y: np.ndarray) -> Slope:
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    free = x.size - 2
    if free < 1:
        return Slope(slope, math.nan, math.nan, math.nan, x.size)
    left = y - y.mean() - slope * centred
    error = math.sqrt(float(left @ left) / free / spread)
    reach = float(stdtrit(free, (1 + LEVEL) / 2)) * error
    return Slope(slope, error, slope - reach, slope + reach, x.size)
