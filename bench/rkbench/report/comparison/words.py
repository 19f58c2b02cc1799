"""One sentence about each change: how much, and whether it is more than noise."""

from __future__ import annotations

import math

import numpy as np

from rkbench.report import ends, numbers, verdict
from rkbench.report.comparison.changes import Change
from rkbench.report.decisions import Decision
from rkbench.report.score_verdicts import band, changed, told_limit
from rkbench.report.statistics import Estimate

CAPTION = (
    "Ratios and differences are paired by seed: Hodges–Lehmann estimates with exact signed-rank intervals of 95 %. A "
    "change is beyond noise when the p-value of Wilcoxon's signed-rank test, Holm-corrected over all solvers and runs of "
    "one measure on one task, is at most 0.05 and the estimate exceeds what every run can resolve by its own A/A test. "
    "That test speaks of one run: what the machine's state did to all cells of a run is a change too, and cancels only in "
    "the ratio relative to the baseline. Cells of the same identity ran the same code: their times tell the machine's."
)

_TIMES = {"training": "training time", "solving": "solve time", "gradient": "gradient time"}
_NAMES = {
    "solution_error": "error",
    "gradient_error": "error of the gradient",
    "step_memory_mb": "memory",
    "nfe_forward": "evaluations of f",
    "nfe_eval": "those of a test solve",
}


def sentence(change: Change) -> str:
    """Return the sentence, such as ``rk4 ×10 in B: 1.12× [1.10–1.15] the training time of A: slower, beyond noise``."""
    head = f"{change.solver} in {change.run}:"
    for name, cells in zip((change.reference, change.run), change.cells, strict=True):
        if cells.empty:
            return f"{head} {name} has no such cells."
        ended = ends.of(cells)
        if not ended.ok:
            return f"{head} in {name} it {ended.idle or f'has no result: {ended.failed}'}."
    clauses = [_failures(change), _time(change), _relative(change), _score(change), *_told(change)]
    return f"{head} {'; '.join(clause for clause in clauses if clause)}."


def _failures(change: Change) -> str:
    failed = [ends.of(cells).failed for cells in change.cells]
    names = (change.reference, change.run)
    told = [f"in {name} {end or 'none failed'}" for name, end in zip(names, failed, strict=True)]
    return ", ".join(told) if any(failed) else ""


def _time(change: Change) -> str:
    what = _TIMES.get(str(change.cells[1]["experiment"].iloc[0]), "time")
    if not change.time.pairs:
        return f"{what} not compared, since no two cells of a seed ran alone on one machine" + _why(change)
    return (
        f"{verdict.times(change.time.estimate)} the {what} of {change.reference}: "
        f"{_judged(change, change.time, 0, ('slower', 'faster'))}"
    )


def _why(change: Change) -> str:
    return f" ({change.note})" if change.note else ""


def _relative(change: Change) -> str:
    if math.isnan(change.relative.median):
        return ""
    return f"{verdict.times(change.relative)} relative to {change.baseline}"


def _score(change: Change) -> str:
    found, score = change.judged.estimate, change.score
    if not change.judged.pairs:
        return ""
    if set(_known(found)) == {1.0 if score.by_ratio else 0.0}:
        return f"{score.name} unchanged"
    return f"{score.name} {changed(found, score)}: {_judged(change, change.judged, 1, ('higher', 'lower'))}"


def _judged(change: Change, decision: Decision, measure: int, words: tuple[str, str]) -> str:
    """Return what may be said of a decision; ``measure`` is 0 for time and 1 for the score."""
    limit, needed = change.limits[measure], change.needed[measure]
    p = f"p = {numbers.significant(decision.p, 2)}"
    if decision.claim in ("more", "less"):
        return f"{words[decision.claim == 'less']}, beyond noise ({p})"
    if decision.pairs < needed:
        return f"no verdict: {numbers.counted(decision.pairs, 'seed')}, {needed} needed"
    if limit is None:
        return "no verdict: not every run measured what it can resolve"
    if decision.why_none:
        return decision.why_none
    if decision.claim == "same":
        least = band(change.score) if measure else verdict.TIME_BAND
        return f"the same within {_spelled(change, max(limit, least), measure)}"
    return f"not distinguishable ({p}, resolution {_spelled(change, limit, measure)})"


def _spelled(change: Change, limit: float, measure: int) -> str:
    return told_limit(limit, change.score) if measure else verdict.percent(limit)


def _told(change: Change) -> list[str]:
    """Return how the measures changed that no clock decides."""
    unchanged, told = [], []
    for name, found in change.ratios.items():
        if math.isnan(found.median):
            continue
        if np.allclose(_known(found), 1, rtol=0, atol=5e-4):
            unchanged.append(_NAMES[name])
        else:
            told.append(f"{_NAMES[name]} {verdict.times(found)}")
    return told + [f"{numbers.listed(unchanged)} unchanged"] * bool(unchanged)


def _known(found: Estimate) -> list[float]:
    return [value for value in found if not math.isnan(value)]


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"
