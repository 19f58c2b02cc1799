"""One sentence per solver against the baseline, made from the statistics alone, with what may be claimed.

How a claim is made: `decisions`. Training tasks are compared solver by solver, initial value problems ladder by ladder
at equal error; what is said of gradients stands in `gradient_findings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from rkbench.report import (
    numbers,
    pairing,
    precision,
    resolution,
    solving_verdicts,
    statistics,
    training_verdicts,
    verdict,
)
from rkbench.report.once import once
from rkbench.report.results import Results
from rkbench.report.statistics import MOST_SEEDS
from rkbench.report.summary import baseline_solver
from rkbench.report.verdict import Verdict

EFFECT = 0.1
"""Relative difference of times for which a number of seeds is recommended."""

CAPTION = (
    "Ratios and differences are paired by seed: Hodges–Lehmann estimates, in brackets exact signed-rank intervals of "
    "95 % (of 94 % with five seeds and 75 % with three, the most that so few can give). A difference is claimed when the "
    "p-value of Wilcoxon's signed-rank test, Holm-corrected over the comparisons of one measure on one task, is at most "
    "0.05 and the estimate exceeds the A/A resolution; solvers are called the same when the interval lies within ±2 % of "
    "time or ±0.1 points of accuracy, or within the resolution where that is wider. All else is undecided."
)

_KINDS = {"training": training_verdicts.of_task, "solving": solving_verdicts.of_task}


@once
def of(results: Results) -> list[Verdict]:
    """Return the verdicts of a run in the order of its plan; none for a task that lacks the baseline."""
    return [
        found
        for task in _tasks(results)
        for found in _KINDS[task.experiment](task.cells, task.replicas, task.baseline)
    ]


@once
def notes(results: Results) -> list[str]:
    """Return what the run can resolve, and how many seeds it takes to say more; tasks of which the same is true together."""
    said: dict[str, list[str]] = {}
    for task in _tasks(results):
        for sentence in _notes(task):
            said.setdefault(sentence, []).append(task.name)
    return [f"{numbers.listed(tasks)}: {sentence}" for sentence, tasks in said.items()]


def seeds_needed(results: Results, effect: float = EFFECT) -> dict[str, int]:
    """Return, by task, how many seeds find a relative difference of time, given the scatter of those that were measured.

    A task that gives no idea of the scatter, with fewer than two pairs of times, is left out; see
    `statistics.pairs_needed`.
    """
    found = {
        task.name: statistics.pairs_needed(_log_ratios(task), effect, task.others)
        for task in _tasks(results)
        if task.others
    }
    return {name: seeds for name, seeds in found.items() if seeds is not None}


class _Task(NamedTuple):
    """A task with its cells, those of the baseline's second label, and the baseline's label."""

    name: str
    experiment: str
    cells: pd.DataFrame
    replicas: pd.DataFrame
    baseline: str

    @property
    def others(self) -> int:
        """How many solvers, or ladders of solvers, are compared with the baseline."""
        return self.cells["ladder" if self.experiment == "solving" else "solver"].nunique() - 1


def _tasks(results: Results) -> Iterator[_Task]:
    for experiment in _KINDS:
        chosen = results.cells[results.cells["experiment"] == experiment]
        for name, cells in (precision.cells(chosen) if experiment == "solving" else chosen).groupby(
            "task", sort=False
        ):
            baseline = baseline_solver(cells, results.baseline)
            if baseline is not None:
                replicas = results.replicas[results.replicas["task"] == name]
                yield _Task(str(name), experiment, cells, replicas, baseline)


def _notes(task: _Task) -> list[str]:
    others, seeds = task.others, task.cells["seed"].nunique()
    if not others:
        return []
    found = [_resolution(task)]
    fewest = statistics.least_pairs(others)
    if seeds < fewest:
        comparisons = "one comparison" if others == 1 else f"{others} comparisons"
        found.append(
            f"{numbers.counted(seeds, 'seed')} allow{'s' * (seeds == 1)} no verdict among {comparisons}: at least {fewest} "
            f"are needed (`--seeds {fewest}`)."
        )
    enough = statistics.pairs_needed(_log_ratios(task), EFFECT, others)
    if enough is not None and enough > MOST_SEEDS:
        found.append(
            f"Times scatter so much that more than {MOST_SEEDS} seeds would be needed to find differences of {EFFECT:.0%}; "
            "`rkbench doctor` says what disturbs the machine.".replace("%", " %")
        )
    elif enough is not None and enough > seeds:
        found.append(
            f"To find differences of {EFFECT:.0%} in time, take {enough} seeds (`--seeds {enough}`).".replace(
                "%", " %"
            )
        )
    return found


def _resolution(task: _Task) -> str:
    least = resolution.resolution(task.cells, task.replicas, task.name)
    if least is None:
        return (
            f"what differences of time can be resolved was not measured, since fewer than {resolution.FEWEST_PAIRS} seeds "
            f"timed {task.baseline} twice."
        )
    return f"{task.baseline} differs from itself by up to {verdict.percent(least)} of time; nothing smaller is claimed."


def _log_ratios(task: _Task) -> list[np.ndarray]:
    """Return how much longer each solver took than the baseline, in logarithms; so that their scatter is known."""
    logs = pairing.log_times(task.cells)
    ratios = logs.drop(columns=task.baseline).sub(logs[task.baseline], axis=0).to_numpy().T
    return [*ratios, resolution.log_ratios(task.cells, task.replicas, task.name)]
