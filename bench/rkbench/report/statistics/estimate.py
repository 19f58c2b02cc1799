"""A number with its uncertainty."""

from __future__ import annotations

import math
from typing import NamedTuple

LEVEL = 0.95
"""The level of every interval; what one of few numbers is worth says `medians.coverage`."""


class Estimate(NamedTuple):
    """A middle value and the ends of its interval; the ends are NaN where there is no interval."""

    median: float
    low: float
    high: float


NOTHING = Estimate(math.nan, math.nan, math.nan)
