"""A run as two tidy DataFrames: one row per planned cell, and one per epoch of a cell."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from rkbench.record import CellStatus, Record
from rkbench.report import labels, reading
from rkbench.report.reading import Recorded

NOT_RUN = "not run yet"

_EPOCH_KEYS = ["cell_id", "task", "solver", "method", "seed"]


def cells(manifest: dict[str, Any], recorded: Recorded) -> pd.DataFrame:
    """Return one row per planned cell, by task, solver and seed.

    Solvers come in the order in which the suite names their methods, then from few steps to many and from
    loose tolerances to tight. The columns are those of a record without its curve, and ``solver``, a label
    unique within the run. A cell without a record has the status ``skipped`` and the message `NOT_RUN`.
    """
    plan = manifest["plan"]
    place = pd.Index(recorded.cells["cell_id"]).get_indexer(pd.Index([cell["cell_id"] for cell in plan]))
    missing = np.flatnonzero(place < 0)
    waiting = reading.frame([_pending(plan[i]) for i in missing])
    place[missing] = len(recorded.cells) + np.arange(len(missing))
    frame = pd.concat([recorded.cells, waiting], ignore_index=True).take(place).reset_index(drop=True)
    frame.insert(1, "solver", labels.solvers(frame))
    return _ordered(frame, manifest.get("suite", {}))


def epochs(recorded: Recorded, cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per epoch of every measured cell.

    ``train_seconds`` is the training time since the start of the cell, summed over its epochs.
    """
    frame = cells[_EPOCH_KEYS].merge(recorded.points["curve"], on="cell_id")
    frame["train_seconds"] = frame.groupby("cell_id")["seconds"].cumsum()
    return frame


def traces(recorded: Recorded, cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per step of every solve that left its steps."""
    return cells[_EPOCH_KEYS].merge(recorded.points["trace"], on="cell_id")


def looks(recorded: Recorded, cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per solver that a trained network was tried with, its own first."""
    return cells[_EPOCH_KEYS].merge(recorded.points["looks"], on="cell_id")


def signals(recorded: Recorded, cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row per layer of every network whose signal was followed."""
    return cells[_EPOCH_KEYS].merge(recorded.points["signal"], on="cell_id")


def pending(cells: pd.DataFrame) -> pd.Series:
    """Return which planned cells have no record yet."""
    return (cells["status"] == CellStatus.SKIPPED) & (cells["message"] == NOT_RUN)


def failed(cells: pd.DataFrame) -> pd.Series:
    """Return which cells ran and did not end ok."""
    return ~cells["status"].isin((CellStatus.OK, CellStatus.SKIPPED))


def left_out(cells: pd.DataFrame) -> pd.Series:
    """Return which cells were skipped, for a reason that their message gives."""
    return (cells["status"] == CellStatus.SKIPPED) & ~pending(cells)


def skipped(cells: pd.DataFrame) -> list[str]:
    """Return a note for every engine whose cells were skipped."""
    alike = Counter(cells.loc[left_out(cells), ["engine", "message"]].itertuples(index=False, name=None))
    return [
        f"{count} cell{'s' * (count != 1)} of the engine {engine} skipped: {message}"
        for (engine, message), count in alike.items()
    ]


def unplanned(manifest: dict[str, Any], recorded: Recorded) -> list[str]:
    """Return a note when records belong to no planned cell, which the frames leave out."""
    strangers = set(recorded.cells["cell_id"]) - {cell["cell_id"] for cell in manifest["plan"]}
    if not strangers:
        return []
    return [
        f"{len(strangers)} recorded cells are not in the plan and were left out, such as {min(strangers)}."
    ]


def _ordered(frame: pd.DataFrame, suite: dict[str, Any]) -> pd.DataFrame:
    axes = [axis["method"] for axis in suite.get("solvers", [])] or [suite.get("baseline", "")]
    named = list(dict.fromkeys(name for axis in axes for name in ([axis] if isinstance(axis, str) else axis)))
    tasks = list(dict.fromkeys(frame["task"]))
    keys = {
        "task": frame["task"].map(tasks.index),
        "named": [named.index(method) if method in named else len(named) for method in frame["method"]],
        "method": frame["method"],
        "steps": frame["steps"].astype("float64"),
        "looseness": -frame["rtol"],
        "solver": frame["solver"],
        "seed": frame["seed"],
    }
    order = pd.DataFrame(keys).sort_values(list(keys), kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def _pending(cell: dict[str, Any]) -> Record:
    known: dict[str, Any] = {name: value for name, value in cell.items() if name in reading.CELL_DTYPES}
    known |= {"status": CellStatus.SKIPPED, "message": NOT_RUN}
    return Record(**known)
