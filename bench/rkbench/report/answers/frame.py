"""The numbers behind the answers: a row per question, task and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rkbench.report.answers import asked, rule
from rkbench.report.answers.comparison import Comparison

if TYPE_CHECKING:
    from rkbench.report.results import Results


COLUMNS = (
    "question", "task", "target", "cost", "ratio", "ratio_low", "ratio_high", "p", "finding", "seeds", "low_reached",
    "high_reached", "low_setting", "high_setting",
)  # fmt: skip


def of(results: Results) -> pd.DataFrame:
    """Return one row per question, task and cost that was measured, empty for a run whose suite asks nothing.

    ``ratio`` is higher order over lower, with its interval in ``ratio_low`` and ``ratio_high``; ``p`` is corrected over the
    tasks of the question; ``low_reached`` and ``high_reached`` count the ``seeds`` on which either side reached the target.
    """
    rows = [
        {"question": one.sides.ask, "task": task.name, "target": task.target} | _numbers(found[place])
        for one in asked.of(results)
        for found in one.found.values()
        for place, task in enumerate(one.tasks)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _numbers(one: Comparison) -> dict[str, Any]:
    (middle, low, high), (low_reached, high_reached) = one.decision.estimate, one.reached
    return {
        "cost": one.cost.key,
        "ratio": middle,
        "ratio_low": low,
        "ratio_high": high,
        "p": one.decision.p,
        "finding": rule.finding(one),
        "seeds": one.seeds,
        "low_reached": low_reached,
        "high_reached": high_reached,
        "low_setting": one.low.usual,
        "high_setting": one.high.usual,
    }
