"""What it depends on whether higher order pays: what tasks are like, against the ratio of errors.

A rank correlation over tasks (Kendall 1938, doi 10.1093/biomet/30.1-2.81), Holm-corrected over what is tried. Few tasks
tell nothing, whatever was measured: of n of them, the smallest p-value is 2 / n!.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from rkbench.report import numbers, scores, statistics
from rkbench.report.answers import asked
from rkbench.report.answers.asked import Asked
from rkbench.report.answers.comparison import Task
from rkbench.report.answers.costs import ERROR, ERROR_ODE, Cost, tight_change
from rkbench.report.once import once

if TYPE_CHECKING:
    from rkbench.report.results import Results


class Trait(NamedTuple):
    """Something that tasks differ in: its name, its value for a task, and the errors that it is not itself a part of."""

    said: str
    of: Callable[[Task, pd.DataFrame], float]
    errors: tuple[Cost, ...]


def _worsening(task: Task, looks: pd.DataFrame) -> float:
    """Return how much worse lower-order networks score when solved tightly, as a share of the error that the target allows.

    Unknown of a likelihood, which is judged so in the first place.
    """
    cells, score = task.cells["low"], task.score
    if not (score.by_ratio or score.more_is_better):
        return math.nan
    change = cells[tight_change(score)] * (-1 if score.more_is_better else 1)
    allowed = 1 - task.target if score is scores.ACCURACY else abs(task.target)
    return statistics.median(change).median / allowed if allowed else math.nan


def _tight_evaluations(task: Task, looks: pd.DataFrame) -> float:
    """Return the evaluations of f of a tight solve of the networks that higher order trained: how hard they are to solve."""
    cells = task.cells["high"]
    known = cells.loc[cells[tight_change(task.score)].notna(), "cell_id"]
    last = looks[looks["cell_id"].isin(known.tolist())].groupby("cell_id", sort=False)["nfe"].last()
    return statistics.median(last.to_numpy(dtype=float)).median


TRAITS = (
    Trait(
        "the evaluations of f that a tight solve of a trained network takes",
        _tight_evaluations,
        (ERROR, ERROR_ODE),
    ),
    Trait("how much worse networks of lower order score when solved tightly", _worsening, (ERROR,)),
)


@once
def sentences(results: Results) -> list[str]:
    """Return what the ratios of errors go with, for all questions that compare the same methods together."""
    tried = [one for sides in _by_sides(asked.of(results)) for one in _traits(results, sides)]
    found = [_tau(one.values, one.ratios) for one in tried]
    p_values = statistics.corrected([p for _, p in found])
    made = int((~np.isnan(p_values)).sum())
    return [
        _sentence(one, tau, float(p), made) for one, (tau, _), p in zip(tried, found, p_values, strict=True)
    ]


class _Tried(NamedTuple):
    """A trait of tasks beside the ratios on them, where both are known."""

    said: str
    error: str
    against: str
    values: np.ndarray
    ratios: np.ndarray


def _by_sides(questions: list[Asked]) -> list[list[Asked]]:
    together: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Asked]] = {}
    for one in questions:
        together.setdefault((one.sides.low, one.sides.high), []).append(one)
    return list(together.values())


def _traits(results: Results, questions: list[Asked]) -> list[_Tried]:
    """Return, of each trait and error, its values and the ratios, a task once; what is known of no task is left out."""
    sides = questions[0].sides
    against = f"{numbers.listed(list(sides.high))} against {numbers.listed(list(sides.low))}"
    tasks = {task.name: task for one in questions for task in one.tasks}
    tried = []
    for trait in TRAITS:
        values = np.array([trait.of(task, results.looks) for task in tasks.values()])
        for cost in trait.errors:
            ratios = {name: ratio for one in questions for name, ratio in _ratios(one, cost).items()}
            found = np.array([ratios[name] for name in tasks])
            known = ~np.isnan(values) & ~np.isnan(found)
            if known.any():
                tried.append(_Tried(trait.said, cost.by, against, values[known], found[known]))
    return tried


def _ratios(question: Asked, cost: Cost) -> dict[str, float]:
    """Return the ratio of errors on each task of a question."""
    found = question.found.get(cost.key)
    ratios = [one.decision.estimate.median for one in found] if found else [math.nan] * len(question.tasks)
    return dict(zip((task.name for task in question.tasks), ratios, strict=True))


def _tau(values: np.ndarray, ratios: np.ndarray) -> tuple[float, float]:
    if len(set(values)) < 2 or len(set(ratios)) < 2:
        return math.nan, math.nan
    tau, p = np.asarray(kendalltau(values, ratios), dtype=float)
    return float(tau), float(p)


def _sentence(one: _Tried, tau: float, p: float, tried: int) -> str:
    tasks = len(one.ratios)
    begins = f"By {one.error}, the ratio of {one.against}"
    if math.isnan(tau):
        return f"{begins} is not compared with {one.said}, in which too few tasks differ."
    least = min(1.0, tried * 2 / math.factorial(tasks))
    way = "falls" if tau < 0 else "rises" if tau > 0 else "neither falls nor rises"
    over = numbers.counted(tasks, "task")
    found = f"{begins} {way} with {one.said}: Kendall's tau {tau:+.2f}, p = {numbers.significant(p, 2)} over {over}"
    if least > statistics.ALPHA:
        return f"{found}; nothing can be told, since so few tasks give no p-value below {numbers.significant(least, 2)}."
    return f"{found}{'' if p <= statistics.ALPHA else '; that may be chance'}."
