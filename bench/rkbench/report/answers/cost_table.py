"""The table of a question: what reaching the target of each task takes of higher order, against lower order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rkbench.report import numbers
from rkbench.report.answers import asked, rule, words
from rkbench.report.answers.asked import Asked
from rkbench.report.answers.comparison import Comparison
from rkbench.report.answers.costs import COSTS, ODE, TRAINING, Cost
from rkbench.report.answers.marks import MARKS
from rkbench.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results

CAPTION = (
    "What reaching the target of a task, which was fixed before the run, takes of higher order, over what it takes of lower "
    "order: ratios, paired by seed, with their intervals. ▼ less and ▲ more may be claimed, = is the same within 2 %, ? is "
    "undecided; a side that does not reach the target on a seed, or fails, costs infinity there, and ✕ is reached by neither. "
    "Settings, and on how many seeds they reach it: higher order first."
)


def tables(results: Results) -> list[Table]:
    """Return the table of every question on which a side reached a target."""
    return [_table(one) for one in asked.of(results) if _measured(one)]


def _measured(one: Asked) -> list[Cost]:
    """Return the costs that are known of some task."""
    return [
        cost
        for cost in COSTS
        if not cost.at_equal and any(any(found.reached) for found in one.found.get(cost.key, []))
    ]


def _table(one: Asked) -> Table:
    measured = _measured(one)
    rows: list[Row] = [
        {"task": task, "n_ok": 0, "n_timed": 0} | {cost.key: one.found[cost.key][place] for cost in measured}
        for place, task in enumerate(one.tasks)
    ]
    columns = [_TASK, _TARGET, *(_column(cost) for cost in measured)]
    keys = [cost.key for cost in measured]
    columns += [_settings(cost) for cost in (TRAINING, ODE) if cost.key in keys]
    return Table(one.sides.ask, "what reaching the target takes", tuple(columns), rows, CAPTION)


_TASK = Column("task", "The task.", lambda row: Cell(row["task"].name, "", row["task"].name), "result")
_TARGET = Column(
    "target",
    "The score to be reached, which was fixed before the run.",
    lambda row: Cell(words.level(row["task"]), "", row["task"].target),
    "result",
)


def _column(cost: Cost) -> Column:
    return Column(
        cost.heading,
        f"{cost.doc} Higher order over lower order.",
        lambda row: _ratio(row[cost.key]),
        "result",
    )


def _ratio(one: Comparison) -> Cell:
    middle, low, high = one.decision.estimate
    symbol = MARKS[rule.finding(one)].symbol
    if math.isnan(middle):
        return Cell(symbol if one.seeds else numbers.NONE, "", math.nan)
    interval = numbers.interval(numbers.significant, middle, low, high)
    return Cell(f"{numbers.significant(middle)} {symbol}", interval, middle)


def _settings(cost: Cost) -> Column:
    """Return the column of what was compared by a cost."""
    which = " as an ODE" if cost is ODE else ""
    return Column(
        f"reached{which}",
        f"Seeds on which either side reaches the target{which}, and the setting of each: higher order, lower order.",
        lambda row: _reached(row[cost.key]),
        "work",
    )


def _reached(one: Comparison) -> Cell:
    low, high = one.reached
    sides = ", ".join(side.usual or "none" for side in (one.high, one.low))
    return Cell(f"{high} : {low} of {one.seeds}", sides if one.seeds else "", high - low)
