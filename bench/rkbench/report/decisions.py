"""From pairs of numbers to what may be said of them: more, less, the same, or nothing yet.

A difference is claimed when the p-value of Wilcoxon's signed-rank test, Holm-corrected over all comparisons of one
measure on one task, is at most 0.05, and the estimate exceeds what the run can resolve. Two solvers are called the same
when the interval lies within a band fixed beforehand, or within the resolution where that is wider. What is neither is
undecided, and so is everything where the pairs are too few for any verdict or the resolution was not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rkbench.report import numbers, statistics
from rkbench.report.statistics import Estimate

Claim = Literal["more", "less", "same", "undecided"]
Pairs = tuple[np.ndarray, np.ndarray]


class Decision(NamedTuple):
    """What one solver is against the baseline in one measure.

    Attributes:
        estimate: ratio or difference to the baseline.
        claim: what may be said.
        why_none: why no verdict was possible whatever was measured, in words; empty where it was.
        pairs: pairs that the estimate rests on.
        p: the p-value, Holm-corrected over the family; NaN without a pair.
    """

    estimate: Estimate
    claim: Claim
    why_none: str
    pairs: int
    p: float


def of_ratios(measured: Sequence[Pairs], resolution: float | None, band: float) -> list[Decision]:
    """Return what may be said of the ratios of each comparison of a family.

    Args:
        measured: values of a solver and of the baseline, each of shape [pairs] and not negative, NaN where not measured.
        resolution: smallest ratio that may be claimed, at least 1; None where it was not measured.
        band: ratio within which two solvers are as good as equal, such as 1.02.
    """
    estimates = [statistics.ratio(*pair) for pair in measured]
    with np.errstate(divide="ignore", invalid="ignore"):
        # A pair without a positive denominator has no ratio, as in the estimate.
        logs = [np.where(other > 0, np.log(ours / other), np.nan) for ours, other in measured]
        shifts = [Estimate(*np.log(found)) for found in estimates]
    limit = None if resolution is None else float(np.log(resolution))
    return _decided(estimates, shifts, logs, limit, float(np.log(band)))


def of_differences(measured: Sequence[Pairs], resolution: float | None, band: float) -> list[Decision]:
    """Return what may be said of the differences of each comparison of a family, arguments as in `of_ratios`."""
    estimates = [statistics.difference(*pair) for pair in measured]
    return _decided(estimates, estimates, [ours - other for ours, other in measured], resolution, band)


def _decided(
    estimates: list[Estimate],
    shifts: list[Estimate],
    pairs: list[np.ndarray],
    resolution: float | None,
    band: float,
) -> list[Decision]:
    """Return the decisions of a family, whose estimates are told as they are and judged as shifts from zero."""
    known = [one[~np.isnan(one)] for one in pairs]
    made = sum(one.size > 0 for one in known)
    p_values = statistics.corrected([statistics.wilcoxon(one) if one.size else np.nan for one in known])
    decisions = []
    for estimate, shift, one, p in zip(estimates, shifts, known, p_values, strict=True):
        why = _why_none(one.size, made, resolution)
        claim = "undecided" if why else _claim(shift, float(p), resolution or 0.0, band)
        decisions.append(Decision(estimate, claim, why, one.size, float(p)))
    return decisions


def _claim(shift: Estimate, p: float, resolution: float, band: float) -> Claim:
    if statistics.equivalence(shift.low, shift.high, max(resolution, band)) == "equivalent":
        return "same"
    if p > statistics.ALPHA or abs(shift.median) <= resolution:
        return "undecided"
    return "more" if shift.median > 0 else "less"


def _why_none(pairs: int, comparisons: int, resolution: float | None) -> str:
    if pairs == 0:
        return "no two cells to compare"
    if pairs < statistics.least_pairs(comparisons):
        return f"no verdict on {numbers.counted(pairs, 'seed')}"
    return "no verdict where the run did not measure its resolution" if resolution is None else ""
