"""Every solver of every run against the same solver of the first: paired by seed, with what may be claimed of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rkbench.report import decisions, frames, labels, pairing, scores, statistics, verdict
from rkbench.report.comparison import circumstances
from rkbench.report.decisions import Decision, Pairs
from rkbench.report.resolution import resolution, score_resolution
from rkbench.report.results import Results
from rkbench.report.score_verdicts import score_decisions
from rkbench.report.scores import Score
from rkbench.report.statistics import Estimate
from rkbench.report.summary import baseline_solver, summarise

MEDIANS = (
    "train_seconds",
    "solve_seconds",
    "solution_error",
    "step_seconds",
    "step_memory_mb",
    "gradient_error",
    "train_accuracy",
    "test_accuracy",
    "test_score",
    "nfe_forward",
    "nfe_eval",
)
Cells = tuple[pd.DataFrame, pd.DataFrame]
"""The cells of a solver in the reference and in a run."""

_Tabled = Callable[[pd.DataFrame], pd.DataFrame]

RATIOS = ("solution_error", "gradient_error", "step_memory_mb", "nfe_forward", "nfe_eval")
"""Measures that no clock decides: they are told as they are, without a test."""


@dataclass(frozen=True)
class Change:
    """A solver of one run against the same solver of the reference.

    Attributes:
        task: the task.
        solver: label of the solver, unique among all runs.
        run: name of the run.
        reference: name of the first run.
        cells: the solver's cells in the reference and in the run; either may be empty.
        time: what may be said of the ratio of times.
        score: what the task is judged by.
        judged: what may be said of the difference of test accuracies, or of the ratio or difference of its own scores.
        relative: ratio of times after each was divided by its own run's baseline; a change of the machine that all
            solvers share cancels in it. NaN for the baseline itself.
        ratios: ratio of each of `RATIOS`.
        baseline: label of the baseline, empty where the two runs do not share it.
        limits: smallest ratio of times, and difference or ratio of scores, that may be claimed; None where not measured.
        needed: seeds below which no claim can be made of times and of scores.
        note: what else differs.
    """

    task: str
    solver: str
    run: str
    reference: str
    cells: Cells
    time: Decision
    score: Score
    judged: Decision
    relative: Estimate
    ratios: Mapping[str, Estimate]
    baseline: str
    limits: tuple[float | None, float | None]
    needed: tuple[int, int]
    note: str


def of(runs: Mapping[str, Results]) -> list[Change]:
    """Return the changes of every run against the first, task by task and solver by solver."""
    everything = pd.concat([one.cells.assign(run=name) for name, one in runs.items()], ignore_index=True)
    everything["solver"] = labels.solvers(everything, circumstances=False)
    return [
        change
        for task, cells in everything.groupby("task", sort=False)
        for change in _of_task(str(task), {name: cells[cells["run"] == name] for name in runs}, runs)
    ]


def row(change: Change) -> dict[str, Any]:
    """Return a change as a row of `compare`, but for its sentence."""
    made: dict[str, Any] = {name: getattr(change, name) for name in ("task", "solver", "run")}
    for side, cells in zip("ab", change.cells, strict=True):
        medians = summarise(cells, None).iloc[0] if len(cells) else {"n_ok": 0, "n_planned": 0}
        made |= {f"{name}_{side}": medians.get(name, math.nan) for name in ("n_ok", "n_planned", *MEDIANS)}
    estimates = {
        "time_ratio": change.time.estimate,
        "relative_time_ratio": change.relative,
        f"{change.score.column}_{'ratio' if change.score.by_ratio else 'difference'}": change.judged.estimate,
        **{f"{name}_ratio": found for name, found in change.ratios.items()},
    }
    for name, found in estimates.items():
        made |= {f"{name}{end}": value for end, value in zip(("", "_low", "_high"), found, strict=True)}
    made |= {"time_claim": change.time.claim, "time_p": change.time.p}
    made |= {f"{change.score.column}_claim": change.judged.claim, f"{change.score.column}_p": change.judged.p}
    return made | {"note": change.note}


def _of_task(task: str, sides: dict[str, pd.DataFrame], runs: Mapping[str, Results]) -> list[Change]:
    """Return the changes on a task; all its comparisons of one measure are one family for Holm's correction."""
    first, *others = sides
    by = {name: _by_solver(cells) for name, cells in sides.items()}
    named = [(name, solver) for name in others for solver in dict.fromkeys([*by[first], *by[name]])]
    none = sides[first].iloc[:0]
    pairs = [(by[first].get(solver, none), by[name].get(solver, none)) for name, solver in named]
    times = [_paired(pairing.times, cells) for cells in pairs]
    score = scores.of(pd.concat(sides.values()))
    judged = [_paired(_values(score.column), cells) for cells in pairs]
    limits = (_widest(resolution, runs, task), _widest(score_resolution, runs, task))
    needed = (_needed(times), _needed(judged))
    decided = zip(
        named,
        pairs,
        decisions.of_ratios(times, limits[0], verdict.TIME_BAND),
        score_decisions(judged, score, limits[1]),
        strict=True,
    )
    baselines = {name: baseline_solver(cells, runs[name].baseline) or "" for name, cells in sides.items()}
    return [
        Change(
            task=task,
            solver=solver,
            run=name,
            reference=first,
            cells=cells,
            time=_of_one_code(_hedged(time, cells), cells),
            score=score,
            judged=_hedged(found, cells),
            relative=_relative(cells, (by[first].get(shared, none), by[name].get(shared, none))),
            ratios={one: statistics.ratio(*_paired(_values(one), cells)) for one in RATIOS},
            baseline=shared,
            limits=limits,
            needed=needed,
            note=circumstances.note(*cells, (first, name)),
        )
        for (name, solver), cells, time, found in decided
        for shared in [baselines[name] if baselines[name] == baselines[first] != solver else ""]
    ]


def _by_solver(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(solver): one for solver, one in cells.groupby("solver", sort=False)}


def _values(name: str) -> _Tabled:
    return lambda cells: pairing.measured(cells, cells[name])


def _paired(table: _Tabled, cells: Cells) -> Pairs:
    """Return what the run and what the reference gave, wherever both have cells; nothing where they cannot be compared."""
    was, now = cells
    if was.empty or now.empty or not circumstances.comparable(was, now):
        return np.empty(0), np.empty(0)
    ours, other = table(now).iloc[:, 0].align(table(was).iloc[:, 0], join="inner")
    return ours.to_numpy(dtype=float), other.to_numpy(dtype=float)


def _relative(cells: Cells, baselines: Cells) -> Estimate:
    if any(one.empty for one in (*cells, *baselines)) or not circumstances.comparable(*cells):
        return statistics.NOTHING
    was, now = (
        pairing.times(one).iloc[:, 0].div(pairing.times(base).iloc[:, 0])
        for one, base in zip(cells, baselines, strict=True)
    )
    ours, other = now.align(was, join="inner")
    return statistics.ratio(ours.to_numpy(dtype=float), other.to_numpy(dtype=float))


def _widest(measure: Callable[..., float | None], runs: Mapping[str, Results], task: str) -> float | None:
    """Return the smallest difference that every run with the task resolves; None where one did not measure it."""
    having = [one for one in runs.values() if (one.cells["task"] == task).any()]
    found = [measure(one.cells, one.replicas, task) for one in having]
    return None if None in found else max(one for one in found if one is not None)


def _needed(measured: list[Pairs]) -> int:
    made = sum(bool((~np.isnan(ours - other)).any()) for ours, other in measured)
    return statistics.least_pairs(max(1, made))


def _hedged(decision: Decision, cells: Cells) -> Decision:
    """Return a decision that claims nothing where cells failed, since the seeds that are left were not chosen."""
    if not any(frames.failed(one).any() for one in cells):
        return decision
    why = decision.why_none or "no verdict on the seeds that are left"
    return decision._replace(claim="undecided", why_none=why)


def _of_one_code(decision: Decision, cells: Cells) -> Decision:
    """Return a decision that claims nothing of time where cells of one identity, so of the same code, differ in it."""
    was, now = (set(one["cell_id"]) for one in cells)
    if decision.claim not in ("more", "less") or not was & now:
        return decision
    why = "no verdict, since code and settings are the same: it is the machine that changed"
    return decision._replace(claim="undecided", why_none=why)
