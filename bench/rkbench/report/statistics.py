"""Medians with their uncertainty: small pure functions of numbers, deterministic by a seeded generator.

The intervals are percentile bootstrap intervals (Efron 1979): the numbers are drawn again with replacement,
and the interval holds the middle 95 % of the medians of the draws. No draw holds a number that was not
measured, so an interval never reaches beyond the observed range; with two to five seeds it is that range, and
with one there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
_DRAWS = 2000
_SEED = 20_240_601


class Estimate(NamedTuple):
    """A median and the ends of its interval; the ends are NaN where there is no interval."""

    median: float
    low: float
    high: float


NOTHING = Estimate(np.nan, np.nan, np.nan)


def median(values: Sequence[float] | np.ndarray) -> Estimate:
    """Return the median of numbers, NaN left out, and its interval; infinity counts as the largest number."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return NOTHING
    middle = float(np.median(known))
    if known.size == 1:
        return Estimate(middle, np.nan, np.nan)
    draws = np.random.default_rng(_SEED).integers(known.size, size=(_DRAWS, known.size))
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    # An observed median at either end: interpolating towards an infinite one would give NaN.
    low, high = np.quantile(np.median(known[draws], axis=1), tails, method="inverted_cdf")
    return Estimate(middle, float(low), float(high))


def ratio(numerators: Sequence[float] | np.ndarray, denominators: Sequence[float] | np.ndarray) -> Estimate:
    """Return the median of paired ratios and its interval; a pair with a NaN is left out.

    Both arguments have shape [pairs] and are in the same unit.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    usable = ~np.isnan(above) & (below > 0)
    return median(above[usable] / below[usable])


def difference(minuends: Sequence[float] | np.ndarray, subtrahends: Sequence[float] | np.ndarray) -> Estimate:
    """Return the median of paired differences and its interval, both arguments as in `ratio`."""
    return median(np.asarray(minuends, dtype=float) - np.asarray(subtrahends, dtype=float))
