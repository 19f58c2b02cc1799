"""Numbers as people read them. Each function returns text; NaN gives a dash."""

from __future__ import annotations

import math
from collections.abc import Callable

NONE = "–"
NEVER = "not reached"


def significant(value: float, digits: int = 3) -> str:
    """Return a number to so many significant digits, without an exponent where it stays readable."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{_decimals(value, digits)}f}"


def seconds(value: float) -> str:
    """Return a time in seconds to three significant digits; infinity is a target that was not reached."""
    return NEVER if math.isinf(value) else significant(value)


def percent(value: float) -> str:
    """Return a share, 0 to 1, in percent with two decimals."""
    return NONE if math.isnan(value) else f"{100 * value:.2f}"


def error(value: float) -> str:
    """Return an error as its order of magnitude asks: ``2.5e-7``."""
    return NONE if math.isnan(value) else f"{value:.1e}"


def count(value: float) -> str:
    """Return a count or a mean of counts: whole where it is whole."""
    if math.isnan(value):
        return NONE
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:,.3g}"


def interval(spell: Callable[[float], str], middle: float, low: float, high: float) -> str:
    """Return an interval, ``1.2–1.4`` or ``-1 to +2``; nothing where it shows no more than the middle, or is NaN."""
    if math.isnan(low) or math.isnan(high):
        return ""
    ends = ["∞" if math.isinf(end) else spell(end) for end in (low, high)]
    if {*ends} <= {spell(middle), "∞" if math.isinf(middle) else ""}:
        return ""
    return (" to " if ends[0][0] in "+-" else "–").join(ends)


def listed(words: list[str]) -> str:
    """Return words as a sentence lists them: ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 seed``, ``3 seeds``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _decimals(value: float, digits: int) -> int:
    return max(0, digits - 1 - (math.floor(math.log10(abs(value))) if value else 0))
