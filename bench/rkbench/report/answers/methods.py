"""Every method of a run's questions at its best setting: what it costs on each seed of their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rkbench.report.answers import asked, choosing
from rkbench.report.answers.comparison import Task
from rkbench.report.answers.costs import Cost

if TYPE_CHECKING:
    from rkbench.report.results import Results


def costs(results: Results, cost: Cost) -> pd.DataFrame:
    """Return what each method costs by its setting that is best on the other seeds, problems × methods.

    A problem is a seed of a task; infinity was not reached. Methods that some task of the questions does not have are left
    out, and problems on which one of the others has not run.
    """
    found = [_of_task(results, name, cells, cost) for name, cells in _cells(results).items()]
    known = [one for one in found if one.notna().any(axis=None)]
    return pd.concat(known, join="inner").dropna() if known else pd.DataFrame()


def _cells(results: Results) -> dict[str, pd.DataFrame]:
    """Return the cells of every task that is asked about, of the methods of any side."""
    both: dict[str, list[Task]] = {}
    for one in asked.of(results):
        for task in one.tasks:
            both.setdefault(task.name, []).append(task)
    return {
        name: pd.concat([cells for task in tasks for cells in task.cells.values()]).drop_duplicates("cell_id")
        for name, tasks in both.items()
    }


def _of_task(results: Results, name: str, cells: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    table = cost.table(cells, results.epochs[results.epochs["cell_id"].isin(cells["cell_id"].tolist())])
    settings = cells.drop_duplicates("solver").groupby("method", sort=False)["solver"].agg(list)
    chosen = {
        method: choosing.held_out(table[[name for name in own if name in table]]).costs
        for method, own in settings.items()
    }
    return pd.concat({name: pd.DataFrame(chosen)}, names=["task"])
