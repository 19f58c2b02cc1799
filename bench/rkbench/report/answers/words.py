"""The sentence about one task: what reaching its target costs higher order, against lower order."""

from __future__ import annotations

import math

from rkbench.report import numbers, scores, verdict
from rkbench.report.answers.comparison import Comparison, Task


def sentence(task: Task, found: list[Comparison]) -> str:
    """Return what is said of a task, cost by cost; the first is that of training, the others may be missing.

    Args:
        task: the task.
        found: its comparisons, one by each cost that was measured on some task of the question.
    """
    known = [one for one in found if one.seeds]
    if not known:
        return f"On {task.name}, nothing can be compared: no seed has a result of both sides."
    if not any(any(one.reached) for one in known):
        seeds = numbers.counted(max(one.seeds for one in known), "seed")
        return f"On {task.name}, neither side reaches {_level(task)} on any of {seeds}."
    first, *others = known
    opening = f"On {task.name}, {_clause(first, _level(task))}"
    return "; ".join([opening, *filter(None, (_further(one, first) for one in others))]) + "."


def _level(task: Task) -> str:
    """Return the target in words: ``a test error of 0.05``."""
    score = task.score
    if score is scores.ACCURACY:
        return f"{score.told(task.target)} {score.name}"
    return f"a {score.name} of {task.target:g} {score.unit}".rstrip()


def _further(one: Comparison, first: Comparison) -> str:
    """Return a clause that follows, with what is not as in the first; empty where nothing is."""
    alike = (one.high.usual, one.low.usual) == (first.high.usual, first.low.usual)
    if one.cost.as_ode:
        same = alike and one.decision == first.decision and one.reached == first.reached
        return "the same as an ODE" if same else f"as an ODE, {_clause(one, '', settings=not alike)}"
    if not min(one.reached) and one.reached == first.reached:
        return ""
    return _clause(one, "", settings=not alike)


def _clause(one: Comparison, level: str, *, settings: bool = True) -> str:
    """Return what one cost says; ``level`` is the target in the clause that names it first."""
    low, high = one.reached
    beside = [f"{one.high.usual} against {one.low.usual}"] if settings else []
    target = level or "it"
    if not low and not high:
        return f"neither side reaches {target}"
    counts = f"{high} of {numbers.counted(one.seeds, 'seed')} against {low} of {one.seeds}"
    if not low or not high:
        text = f"only {'higher' if high else 'lower'} order reaches {target}"
        return _bracketed(text, [counts, *beside], one)
    if one.decision.estimate.median in (0, math.inf):
        text = f"higher order reaches {target} on {'more' if high > low else 'fewer'} seeds"
        return _bracketed(text, [counts, *beside], one)
    lost = [f"reached on {counts}"] if min(low, high) < one.seeds else []
    seeds = [] if lost or not level else [numbers.counted(one.seeds, "seed")]
    text = f"{'in' if one.cost.timed else 'with'} {verdict.times(one.decision.estimate)} {one.cost.noun}"
    text = f"higher order reaches {level} {text}" if level else text
    apart = verdict.time_apart(one.decision, one.limit) if one.cost.timed else _apart(one)
    return _bracketed(text, [*beside, *seeds, *lost], one) + apart


def _apart(one: Comparison) -> str:
    return verdict.told_apart(one.decision, verdict.percent(verdict.TIME_BAND), "")


def _bracketed(text: str, said: list[str], one: Comparison) -> str:
    """Return a text with what stands in brackets after it, why nothing may be claimed included."""
    why = [one.decision.why_none] if one.decision.why_none else []
    inside = [part for part in (*said, *why) if part]
    return f"{text} ({', '.join(inside)})" if inside else text
