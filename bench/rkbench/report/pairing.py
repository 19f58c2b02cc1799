"""The cells of one task as tables of seeds × solvers, so that two columns are pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rkbench.record import CellStatus


def times(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the times that may be compared: of cells that ended ok and ran alone, by seed and machine; else NaN."""
    spent = cells["train_seconds"].fillna(cells["solve_seconds"]).fillna(cells["step_seconds"])
    return _table(cells, spent.where(_ok(cells) & cells["timing_valid"] & (spent > 0)), ["seed", "host"])


def log_times(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the logarithms of `times`."""
    return times(cells).transform(np.log)


def measured(cells: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Return values of the cells that ended ok, by seed, whichever machine they ran on; else NaN."""
    return _table(cells, values.astype("float64").where(_ok(cells)), ["seed"])


def times_to_target(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the training time until the target, infinity where a cell that ran never reached it, as `times` does."""
    ran = cells["status"] != CellStatus.SKIPPED
    reached = cells["seconds_to_target"].where(_ok(cells)).fillna(np.inf)
    alone = cells["timing_valid"] | np.isinf(reached)
    return _table(cells, reached.where(ran & alone), ["seed", "host"])


def _ok(cells: pd.DataFrame) -> pd.Series:
    return cells["status"] == CellStatus.OK


def _table(cells: pd.DataFrame, values: pd.Series, by: list[str]) -> pd.DataFrame:
    frame = cells[[*by, "solver"]].assign(value=values)
    return frame.groupby([*by, "solver"], sort=False)["value"].first().unstack("solver")
