"""What may be said of the scores of two solvers: points of accuracy, or a ratio or difference of a task's own score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rkbench.report import decisions, numbers, statistics, verdict
from rkbench.report.decisions import Decision, Pairs
from rkbench.report.scores import ACCURACY, Score
from rkbench.report.statistics import Estimate

SCORE_BAND = 1.02
"""Ratio of scores within which two solvers are called the same, fixed before any run."""

NATS_BAND = 0.01
"""Difference of scores in nats or bits within which they are called the same, fixed before any run."""


def score_decisions(measured: Sequence[Pairs], score: Score, resolution: float | None) -> list[Decision]:
    """Return what may be said of the scores of each comparison of a family, arguments as in `decisions.of_ratios`."""
    if score.by_ratio:
        return decisions.of_ratios(measured, resolution, SCORE_BAND)
    return decisions.of_differences(measured, resolution, band(score))


def band(score: Score) -> float:
    """Return the ratio or difference within which two scores are called the same."""
    return verdict.ACCURACY_BAND if score is ACCURACY else SCORE_BAND if score.by_ratio else NATS_BAND


def changed(found: Estimate, score: Score) -> str:
    """Return a ratio or a difference of scores, with its interval."""
    return verdict.times(found) if score.by_ratio else verdict.amount(found, _signed(score), _unit(score))


def told_limit(limit: float, score: Score) -> str:
    """Return a ratio or a difference of scores that is too small to be claimed."""
    return verdict.percent(limit) if score.by_ratio else f"{score.spell(limit)} {_unit(score)}"


def _unit(score: Score) -> str:
    return "points" if score is ACCURACY else score.unit


def score_clause(decision: Decision, score: Score, resolution: float | None) -> str:
    """Return what is said of a score against the baseline's; empty where nothing was compared."""
    if not decision.pairs:
        return ""
    return (
        _by_ratio(decision, score, resolution)
        if score.by_ratio
        else _by_difference(decision, score, resolution)
    )


def _by_ratio(decision: Decision, score: Score, resolution: float | None) -> str:
    least = resolution or 1.0
    text = f"its {score.name} is {changed(decision.estimate, score)} that"
    apart = verdict.told_apart(
        decision, verdict.percent(max(least, SCORE_BAND)), verdict.percent(least) if least > 1 else ""
    )
    return text + apart


def _by_difference(decision: Decision, score: Score, resolution: float | None) -> str:
    found, unit = decision.estimate, _unit(score)
    if decision.claim == "more":
        return f"its {score.name} is higher by {verdict.amount(found, score.spell, unit)}"
    if decision.claim == "less":
        lower = statistics.Estimate(-found.median, -found.high, -found.low)
        return f"its {score.name} is lower by {verdict.amount(lower, score.spell, unit)}"
    least = resolution or 0.0
    text = f"its {score.name} differs by {changed(found, score)}"
    return text + verdict.told_apart(
        decision, told_limit(max(least, band(score)), score), score.spell(least) if least else ""
    )


def _signed(score: Score) -> Callable[[float], str]:
    def spell(value: float) -> str:
        if score is ACCURACY:
            return f"{100 * value:+.2f}"
        return ("+" if value >= 0 else "-") + numbers.significant(abs(value))

    return spell
