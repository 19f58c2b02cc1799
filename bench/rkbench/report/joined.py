"""Networks that are to be seen beside each other: tasks about the same data, of which some have a single row each."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from rkbench.report import about, families, numbers
from rkbench.report.labels import NO_SOLVER
from rkbench.report.results import Results


def of(results: Results) -> Results:
    """Return the training tasks of a run for figures, those about the same as one where a single row has a task to itself.

    That is where a network solves nothing, or where the suite has one solver: one panel for each would show one line each.
    A row is then named by its network and its solver, where these differ.
    """
    trained = results.of("training")
    tasks, solvers = trained.cells["task"].copy(), trained.cells["solver"].copy()
    subjects = about.of(trained.cells)
    for subject, cells in trained.cells[subjects != ""].groupby(subjects, sort=False):
        rows = cells.groupby("task", sort=False)["solver"].nunique()
        if len(rows) > 1 and rows.min() == 1:
            tasks[cells.index] = f"{numbers.counted(len(rows), 'network')} on {subject}"
            solvers[cells.index] = _names(cells)
    if tasks.equals(trained.cells["task"]):
        return trained
    told = pd.DataFrame({"task": tasks, "solver": solvers}).set_axis(pd.Index(trained.cells["cell_id"]))
    cells = trained.cells.assign(task=tasks, solver=solvers)
    return replace(trained, cells=cells, epochs=_relabelled(trained.epochs, told))


def _names(cells: pd.DataFrame) -> pd.Series:
    short = cells["task"].map(families.short(map(str, cells["task"].unique())))
    if cells["solver"].nunique() == 1:
        return short
    return short.where(cells["solver"] == NO_SOLVER, short + " · " + cells["solver"])


def _relabelled(frame: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    ids = frame["cell_id"]
    return frame.assign(task=ids.map(told["task"]), solver=ids.map(told["solver"]))
