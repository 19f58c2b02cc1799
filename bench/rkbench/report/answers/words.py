"""The sentence about one task: the error of higher order against that of lower order."""

from __future__ import annotations

import math

from rkbench.report import numbers, scores, verdict
from rkbench.report.answers.comparison import Comparison, Task
from rkbench.report.verdict import TIME_BAND


def sentence(task: Task, one: Comparison) -> str:
    """Return what is said of the errors on a task."""
    if not one.seeds:
        return f"On {task.name}, nothing can be compared on any seed."
    low, high = one.reached
    if not (low and high):
        has = "neither side has" if not (low or high) else f"only {'higher' if high else 'lower'} order has"
        return f"On {task.name}, {has} an error that is known ({numbers.counted(one.seeds, 'seed')})."
    beside = [numbers.counted(one.seeds, "seed"), _lost(one), one.decision.why_none]
    return f"On {task.name}, {_compared(task, one)} ({', '.join(filter(None, beside))})."


def _compared(task: Task, one: Comparison) -> str:
    """Return one side's error as a multiple of the other's, or that failures decide."""
    low, high = one.low.usual, one.high.usual
    if one.decision.estimate.median in (0, math.inf):
        return f"{high} fails on other seeds than {low}"
    same = f": the same within {verdict.percent(TIME_BAND)}" if one.decision.claim == "same" else ""
    return f"{high} leaves {verdict.times(one.decision.estimate)} {_error(task)} of {low}{same}"


def _lost(one: Comparison) -> str:
    low, high = one.reached
    return f"without failure on {high} against {low}" if min(low, high) < one.seeds else ""


def _error(task: Task) -> str:
    """Return what the error of a task is called, of which sides have a ratio."""
    if task.score is scores.ACCURACY:
        return "the share of wrong answers"
    return f"the {task.score.name}" if task.score.by_ratio else f"the exp({task.score.name})"


def level(task: Task) -> str:
    """Return the target in words: ``0.05 test error``."""
    if math.isnan(task.target):
        return "none"
    score = task.score
    if score is scores.ACCURACY:
        return f"{score.told(task.target)} {score.name}"
    return f"{task.target:g} {score.unit} {score.name}".replace("  ", " ")
