"""Verdicts on a training task: time, accuracy, time to the target and evaluations of f, solver by solver."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from rkbench.report import decisions, ends, numbers, pairing, statistics, verdict
from rkbench.report.decisions import Decision
from rkbench.report.ends import Ends
from rkbench.report.resolution import accuracy_resolution, resolution
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
    limits = _Limits(resolution(cells, replicas, task), accuracy_resolution(cells, replicas, task))
    time = _paired(pairing.times(cells), list(solvers), baseline)
    accuracy = _paired(pairing.measured(cells, cells["test_accuracy"]), list(solvers), baseline)
    target = _paired(pairing.times_to_target(cells), list(solvers), baseline)
    work = _paired(
        pairing.measured(cells, cells["nfe_forward"] + cells["nfe_backward"].fillna(0)),
        list(solvers),
        baseline,
    )
    decided = zip(
        decisions.of_ratios(time, limits.time, verdict.TIME_BAND),
        decisions.of_differences(accuracy, limits.accuracy, verdict.ACCURACY_BAND),
        decisions.of_ratios(target, limits.time, verdict.TIME_BAND),
        strict=True,
    )
    level = cells["target"].max()
    found = []
    for (solver, own), made, reached, spent in zip(solvers.items(), decided, target, work, strict=True):
        said = _Said(solver, baseline, own, *made, reached, spent, level)
        found.append(
            Verdict(task, solver, _sentence(said, limits), "failed" if own.failed else verdict.claim(made[0]))
        )
    return found


class _Limits(NamedTuple):
    """The smallest ratio of times and difference of accuracies that may be claimed; None where not measured."""

    time: float | None
    accuracy: float | None


class _Said(NamedTuple):
    """What there is to say of one solver."""

    solver: str
    baseline: str
    ends: Ends
    time: Decision
    accuracy: Decision
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
            **{name: _hedged(getattr(said, name)) for name in ("time", "accuracy", "to_target")}
        )
    clauses = [
        f"{lost}; on the others, " * bool(lost) + _time(said, limits),
        _accuracy(said, limits),
        _target(said, limits),
    ]
    decided = [one for one in (said.time, said.accuracy) if one.pairs]
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


def _accuracy(said: _Said, limits: _Limits) -> str:
    found, decided = said.accuracy.estimate, said.accuracy.claim
    if not said.accuracy.pairs:
        return ""
    if decided == "more":
        return f"its test accuracy is higher by {verdict.points(found, numbers.percent)}"
    if decided == "less":
        lower = statistics.Estimate(-found.median, -found.high, -found.low)
        return f"its test accuracy is lower by {verdict.points(lower, numbers.percent)}"
    least = limits.accuracy or 0.0
    text = f"its test accuracy differs by {verdict.points(found, _signed)}"
    return text + verdict.told_apart(
        said.accuracy,
        f"{numbers.percent(max(least, verdict.ACCURACY_BAND))} points",
        numbers.percent(least) if least else "",
    )


def _target(said: _Said, limits: _Limits) -> str:
    """Return how long the target took, or how often it was reached where that is not every time."""
    if np.isnan(said.target):
        return ""
    level = f"{numbers.percent(said.target)} % test accuracy"
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


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"
