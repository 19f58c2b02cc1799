"""Verdicts on a training task: time, accuracy, time to the target and evaluations of f, solver by solver."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from rkbench.report import decisions, ends, numbers, pairing, scores, statistics, verdict
from rkbench.report.decisions import Decision
from rkbench.report.ends import Ends
from rkbench.report.resolution import resolution, score_resolution
from rkbench.report.score_verdicts import score_clause, score_decisions
from rkbench.report.scores import Score
from rkbench.report.verdict import Verdict


def of_task(cells: pd.DataFrame, replicas: pd.DataFrame, baseline: str) -> list[Verdict]:
    """Return a verdict for every solver of a task but the baseline.

    Args:
        cells: the cells of the task.
        replicas: those of the baseline's second label.
        baseline: label of the solver that the others are compared with.
    """
    task = str(cells["task"].iloc[0])
    solvers = {name: one for name, one in ends.by(cells, "solver").items() if name != baseline}
    score = scores.of(cells)
    limits = _Limits(resolution(cells, replicas, task), score_resolution(cells, replicas, task))
    time = _paired(pairing.times(cells), list(solvers), baseline)
    judged = _paired(pairing.measured(cells, cells[score.column]), list(solvers), baseline)
    target = _paired(pairing.times_to_target(cells), list(solvers), baseline)
    work = _paired(
        pairing.measured(cells, cells["nfe_forward"] + cells["nfe_backward"].fillna(0)),
        list(solvers),
        baseline,
    )
    decided = zip(
        decisions.of_ratios(time, limits.time, verdict.TIME_BAND),
        score_decisions(judged, score, limits.score),
        decisions.of_ratios(target, limits.time, verdict.TIME_BAND),
        strict=True,
    )
    level = cells["target"].max()
    found = []
    for (solver, own), made, reached, spent in zip(solvers.items(), decided, target, work, strict=True):
        said = _Said(solver, baseline, own, score, *made, reached, spent, level)
        found.append(
            Verdict(task, solver, _sentence(said, limits), "failed" if own.failed else verdict.claim(made[0]))
        )
    return found


class _Limits(NamedTuple):
    """The smallest ratio of times, and difference or ratio of scores, that may be claimed; None where not measured."""

    time: float | None
    score: float | None


class _Said(NamedTuple):
    """What there is to say of one solver."""

    solver: str
    baseline: str
    ends: Ends
    judged_by: Score
    time: Decision
    score: Decision
    to_target: Decision
    reached: decisions.Pairs
    work: decisions.Pairs
    target: float


def _paired(table: pd.DataFrame, solvers: list[str], baseline: str) -> list[decisions.Pairs]:
    reference = table[baseline].to_numpy()
    return [(table[solver].to_numpy(), reference) for solver in solvers]


def _sentence(said: _Said, limits: _Limits) -> str:
    lost = said.ends.failed
    if said.ends.idle:
        return f"{said.solver} {said.ends.idle}."
    if not said.ends.ok:
        return f"{said.solver} has no result: {lost}."
    if lost:
        said = said._replace(
            **{name: _hedged(getattr(said, name)) for name in ("time", "score", "to_target")}
        )
    clauses = [
        f"{lost}; on the others, " * bool(lost) + _time(said, limits),
        score_clause(said.score, said.judged_by, limits.score),
        _target(said, limits),
    ]
    decided = [one for one in (said.time, said.score) if one.pairs]
    return verdict.joined([clause for clause in clauses if clause], decided, _work(said))


def _hedged(decision: Decision) -> Decision:
    """Return a decision that claims nothing, since the seeds that are left are not those that were chosen."""
    return decision._replace(
        claim="undecided", why_none=decision.why_none or "no verdict on the seeds that are left"
    )


def _time(said: _Said, limits: _Limits) -> str:
    if not said.time.pairs:
        return (
            f"{said.solver} has no time to compare with that of {said.baseline}, since no two cells of a seed ran alone "
            "on one machine"
        )
    text = f"{said.solver} takes {verdict.times(said.time.estimate)} the training time of {said.baseline}"
    return text + verdict.time_apart(said.time, limits.time)


def _target(said: _Said, limits: _Limits) -> str:
    """Return how long the target took, or how often it was reached where that is not every time."""
    if np.isnan(said.target):
        return ""
    score = said.judged_by
    level = (
        f"{score.told(said.target)} {score.name}"
        if score is scores.ACCURACY
        else f"{score.name} {score.told(said.target)}"
    )
    ours, other = (runs[~np.isnan(runs)] for runs in said.reached)
    if not ours.size or not other.size:
        return ""
    if np.isinf(ours).any() or np.isinf(other).any():
        shares = [
            f"{np.isfinite(runs).sum()} of {numbers.counted(runs.size, 'seed')}" for runs in (ours, other)
        ]
        return f"{shares[0]} reach {level}, against {shares[1]} of {said.baseline}"
    return f"it reaches {level} in {verdict.times(said.to_target.estimate)} the time" + verdict.time_apart(
        said.to_target, limits.time
    )


def _work(said: _Said) -> str:
    """Return the evaluations of f, which are counted and need no test."""
    found = statistics.ratio(*said.work)
    if np.isnan(found.median):
        return ""
    if {one for one in found if not np.isnan(one)} == {1.0}:
        return "it needs as many evaluations of f"
    ours, other = (numbers.count(statistics.median(counts).median) for counts in said.work)
    return (
        f"it needs {ours} evaluations of f a training step instead of {other}: {verdict.times(found)} as many"
    )
