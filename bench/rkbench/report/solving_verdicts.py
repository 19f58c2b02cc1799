"""Verdicts on an initial value problem: what reaching an error costs a ladder, against the ladder of the baseline."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import decisions, ends, labels, numbers, precision, statistics, verdict
from rkbench.report.decisions import Decision
from rkbench.report.ends import Ends
from rkbench.report.precision_table import LEVELS
from rkbench.report.resolution import resolution
from rkbench.report.verdict import Verdict


def of_task(cells: pd.DataFrame, replicas: pd.DataFrame, baseline: str) -> list[Verdict]:
    """Return a verdict for every ladder of an initial value problem but the baseline's.

    Two ladders are compared at the smallest of the errors `LEVELS` that both reach on every seed, and that the coarsest
    solver of neither reaches already, whose cost would be no more than a bound. Errors choose it, never times.

    Args:
        cells: the cells of the task, among those of `precision.cells`.
        replicas: those of the baseline's second label.
        baseline: label of the solver whose ladder the others are compared with.
    """
    task = str(cells["task"].iloc[0])
    costs = {str(name): _costs(one) for name, one in _rungs(cells).groupby("ladder", sort=False)}
    ladders = [_Ladder(name, one, costs.get(name, {})) for name, one in ends.by(cells, "ladder").items()]
    named = str(cells.loc[cells["solver"] == baseline, "ladder"].iloc[0])
    reference = next(one for one in ladders if one.name == named)
    pairs = [_Pair(one, reference, _level(one, reference)) for one in ladders if one is not reference]
    limit = resolution(cells, replicas, task)
    times = decisions.of_ratios([_times(pair) for pair in pairs], limit, verdict.TIME_BAND)
    return [
        Verdict(task, pair.ladder.name, _sentence(pair, time, limit), _claim(pair.ladder, time))
        for pair, time in zip(pairs, times, strict=True)
    ]


class _Cost(NamedTuple):
    """What reaching an error costs on one seed: NaN seconds where they may not be compared."""

    seconds: float
    nfe: float
    host: str


class _Ladder(NamedTuple):
    """A ladder with its costs, by seed and level, where they are more than bounds."""

    name: str
    ends: Ends
    costs: dict[Hashable, dict[float, _Cost]]


class _Pair(NamedTuple):
    """A ladder, the baseline's, and the error at which they are compared, None where there is none."""

    ladder: _Ladder
    reference: _Ladder
    level: float | None

    @property
    def costs(self) -> list[tuple[_Cost, _Cost]]:
        """The costs of either, seed by seed."""
        ours, other = self.ladder.costs, self.reference.costs
        if self.level is None:
            return []
        return [(ours[seed][self.level], other[seed][self.level]) for seed in ours if seed in other]


def _rungs(cells: pd.DataFrame) -> pd.DataFrame:
    ok = cells[(cells["status"] == CellStatus.OK) & cells["solution_error"].notna()]
    columns = {
        "error": ok["solution_error"].clip(lower=precision.SMALLEST),
        "nfe": ok["nfe_forward"],
        "seconds": ok["solve_seconds"].where(ok["timing_valid"]),
    }
    return ok[["ladder", "seed", "host"]].assign(**columns).sort_values("nfe", kind="stable")


def _costs(ladder: pd.DataFrame) -> dict[Hashable, dict[float, _Cost]]:
    columns = {name: ladder[name].to_numpy() for name in ("host", "error", "nfe", "seconds")}
    seeds = ladder["seed"].to_numpy()
    return {
        seed: _of_levels({name: values[seeds == seed] for name, values in columns.items()})
        for seed in np.unique(seeds).tolist()
    }


def _of_levels(rungs: dict[str, np.ndarray]) -> dict[float, _Cost]:
    errors, hosts = rungs["error"], set(rungs["host"])
    return {
        level: _Cost(
            precision.cost(rungs, level, "seconds") if len(hosts) == 1 else math.nan,
            precision.cost(rungs, level, "nfe"),
            rungs["host"][0],
        )
        for level in LEVELS
        if errors.min() <= level < errors[0]
    }


def _level(one: _Ladder, other: _Ladder) -> float | None:
    shared = [one.costs[seed].keys() & other.costs[seed].keys() for seed in one.costs if seed in other.costs]
    return min(set.intersection(*shared), default=None) if shared else None


def _times(pair: _Pair) -> decisions.Pairs:
    seconds = [(ours.seconds, other.seconds) for ours, other in pair.costs if ours.host == other.host]
    table = np.array(seconds, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _claim(ladder: _Ladder, time: Decision) -> verdict.Claim:
    """Return the claim: a ladder failed when all of it did, since its coarsest solvers often do."""
    return "failed" if ladder.ends.failed and not ladder.ends.ok else verdict.claim(time)


def _sentence(pair: _Pair, time: Decision, limit: float | None) -> str:
    (name, ends, costs), other = pair.ladder, pair.reference.name
    if ends.idle:
        return f"{name} {ends.idle}."
    if not costs:
        return f"{name} has no result: {ends.failed or 'no error was measured'}."
    lost = [ends.failed] if ends.failed else []
    if pair.level is None:
        levels = numbers.listed([labels.power_of_ten(one) for one in LEVELS])
        text = f"{name} is not compared with {other}: of the errors {levels}, their solvers enclose none together"
        return verdict.joined([text, *lost], [])
    work = statistics.ratio(*np.array([(ours.nfe, theirs.nfe) for ours, theirs in pair.costs]).T)
    error = labels.power_of_ten(pair.level)
    text = f"At an error of {error}, {name} needs {verdict.times(work)} the evaluations of f of {other}"
    if time.pairs:
        text += f" and takes {verdict.times(time.estimate)} its time{verdict.time_apart(time, limit)}"
    return verdict.joined([text, *lost], [time] if time.pairs else [])
