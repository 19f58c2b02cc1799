"""Is a difference one that matters: an interval against a band of differences that do not.

The interval inside the band is the two one-sided tests of equivalence (Schuirmann 1987, doi 10.1007/BF01068419), made
with an interval of 95 % rather than 90 %, on the safe side.
"""

from __future__ import annotations

import math
from typing import Literal

Equivalence = Literal["different", "equivalent", "undecided"]


def equivalence(low: float, high: float, band: float) -> Equivalence:
    """Return whether a difference lies outside a band around zero, within it, or may do either.

    Args:
        low: lower end of the interval of a difference, or of a logarithm of a ratio; NaN for none.
        high: upper end.
        band: largest difference, in the same unit, that does not matter; not negative.

    Raises:
        ValueError: the band is negative or NaN.
    """
    if not band >= 0:
        raise ValueError("give a band that is not negative")
    if math.isnan(low) or math.isnan(high):
        return "undecided"
    if -band <= low and high <= band:
        return "equivalent"
    return "different" if low > band or high < -band else "undecided"
