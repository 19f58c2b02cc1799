"""What higher order costs against lower order on one task: pairs of seeds, and what may be said of them.

What is claimed holds twice: for settings that the other seeds chose, which is no biased estimate, and for the settings
that are best over all seeds, which are the same on every one. Held-out choices share seeds with each other, so that their
pairs are not quite independent: where all settings are equally good, Wilcoxon's test alone claims a difference once in ten
times, and both together once in thirty (counted in simulations of 7 to 10 seeds and 2 to 12 settings).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rkbench.report import decisions, scores, verdict
from rkbench.report.answers import choosing
from rkbench.report.answers.choosing import Chosen
from rkbench.report.answers.costs import Cost
from rkbench.report.answers.sides import Sides
from rkbench.report.decisions import Decision
from rkbench.report.resolution import resolution
from rkbench.report.scores import Score

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows tables of ours in a notebook


@dataclass(frozen=True)
class Comparison:
    """One task by one cost.

    Attributes:
        cost: what is compared.
        low: settings of lower order that the other seeds chose, on the rows where both sides are known.
        high: those of higher order.
        decision: of the ratio, higher order over lower.
        limit: the smallest ratio that may be claimed; None where it was not measured.
    """

    cost: Cost
    low: Chosen
    high: Chosen
    decision: Decision
    limit: float | None

    @property
    def seeds(self) -> int:
        """On how many seeds both sides are known."""
        return len(self.low.costs)

    @property
    def reached(self) -> tuple[int, int]:
        """On how many of them lower order reached the target, and higher."""
        return int(np.isfinite(self.low.costs).sum()), int(np.isfinite(self.high.costs).sum())


@dataclass(frozen=True)
class Task:
    """A task of a question.

    Attributes:
        name: of the task.
        cells: those of either side, by side.
        score: what it is judged by.
        target: to be reached; NaN without one.
        missing: cells of either side that have not run, or were skipped.
        planned: cells of either side.
    """

    name: str
    cells: dict[str, pd.DataFrame]
    score: Score
    target: float
    missing: int
    planned: int


def tasks(results: Results, sides: Sides) -> list[Task]:
    """Return the tasks of a question that the run trains with methods of both sides."""
    trained = results.of("training").cells
    of_names = [(name, trained[trained["task"] == name]) for name in sides.tasks]
    found = [_task(name, cells, sides) for name, cells in of_names if len(cells)]
    return [one for one in found if all(len(cells) for cells in one.cells.values())]


def _task(name: str, cells: pd.DataFrame, sides: Sides) -> Task:
    by_side = {side: cells[cells["method"].isin(getattr(sides, side))] for side in ("low", "high")}
    both = pd.concat(by_side.values())
    missing = int((both["status"] == "skipped").sum())
    return Task(name, by_side, scores.of(cells), float(cells["target"].max()), missing, len(both))


def of(results: Results, found: list[Task], cost: Cost) -> list[Comparison]:
    """Return what the tasks of a question cost, p-values corrected over them."""
    limits = [_limit(results, task, cost) for task in found]
    return decided(cost, [_tables(results, task, cost) for task in found], limits)


Tables = tuple[pd.DataFrame, pd.DataFrame]
"""Costs of lower order and of higher order on a task, seeds and machines × settings."""


def decided(cost: Cost, tables: list[Tables], limits: list[float | None]) -> list[Comparison]:
    """Return the comparisons of several tasks, given what each setting costs on each seed.

    Args:
        cost: what the tables hold.
        tables: of each task; infinity was not reached, NaN not measured.
        limits: smallest ratio that may be claimed on each task; None where it was not measured.
    """
    held = [_pairs(choosing.held_out(low), choosing.held_out(high)) for low, high in tables]
    best = [_pairs(choosing.fixed(low), choosing.fixed(high)) for low, high in tables]
    found = zip(held, _decisions(held, limits), _decisions(best, limits), limits, strict=True)
    return [Comparison(cost, *pair, _agreed(one, other), limit) for pair, one, other, limit in found]


def _tables(results: Results, task: Task, cost: Cost) -> Tables:
    """Return the costs of either side, lower order first, of the settings that were measured at all."""
    both = pd.concat(task.cells.values())
    epochs = results.epochs[results.epochs["cell_id"].isin(both["cell_id"].tolist())]
    table = cost.table(both, epochs)
    if cost.at_equal:
        both_can = affordable(task)
        table = table[[name for name in table if name in both_can]]
    settings = [[name for name in cells["solver"].unique() if name in table] for cells in task.cells.values()]
    low, high = (table[names].dropna(axis="columns", how="all") for names in settings)
    return low, high


def affordable(task: Task) -> list[str]:
    """Return the settings that take no more evaluations of f in a training step than the most of either side.

    What the side with the lesser most has is what both can spend; nobody has the advantage of more. What a setting takes that
    never ended an epoch is not known; those of a side that has no others are among them, and cost infinity.
    """
    spent = [_evaluations(cells) for cells in task.cells.values()]
    most = min((own.max() for own in spent if own.notna().any()), default=0.0)
    kept = [own.index if own.isna().all() else own.index[own <= most] for own in spent]
    return [str(name) for names in kept for name in names]


def _evaluations(cells: pd.DataFrame) -> pd.Series:
    """Return by setting the evaluations of f in a training step, medians over seeds."""
    counts = cells["nfe_forward"] + cells["nfe_backward"].fillna(0)
    return counts.astype(float).groupby(cells["solver"]).median()


def _pairs(low: Chosen, high: Chosen) -> tuple[Chosen, Chosen]:
    """Return both sides on the rows where both are known."""
    known = low.costs.notna() & high.costs.notna()
    kept = [Chosen(one.costs[known], one.settings[known]) for one in (low, high)]
    return kept[0], kept[1]


def _limit(results: Results, task: Task, cost: Cost) -> float | None:
    return resolution(results.cells, results.replicas, task.name) if cost.timed else 1.0


def _decisions(pairs: list[tuple[Chosen, Chosen]], limits: list[float | None]) -> list[Decision]:
    """Return what may be said of each task, each by its own resolution and all of them in one family."""
    family = [(high.costs.to_numpy(), low.costs.to_numpy()) for low, high in pairs]
    by_limit = {limit: decisions.of_ratios(family, limit, verdict.TIME_BAND) for limit in set(limits)}
    return [by_limit[limit][place] for place, limit in enumerate(limits)]


def _agreed(held: Decision, best: Decision) -> Decision:
    """Return the decision on held-out choices, undecided where that on the best settings is another."""
    return held if held.claim == best.claim else held._replace(claim="undecided")
