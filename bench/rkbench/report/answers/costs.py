"""What it costs a cell to reach the target of its task, which was fixed before the run; infinity where it did not.

A cell that failed is infinite too, one that has not run or was skipped is NaN, and so is a cost that was not measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import pairing, scores
from rkbench.report.scores import Score


@dataclass(frozen=True)
class Cost:
    """One of the costs that are compared.

    Attributes:
        key: its short name.
        noun: what it counts, as in "with half ...".
        by: what a verdict on it rests on, as in "counting ...".
        table: seeds × solvers of a task, from its cells and epochs; rows are seeds and machines, which is empty
            where these do not matter.
        timed: whether the machine's resolution limits what may be claimed; what is counted is exact.
        as_ode: whether a network counts only where its score holds when its ODE is solved tightly.
    """

    key: str
    noun: str
    by: str
    table: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
    timed: bool = False
    as_ode: bool = False


def _training(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    return _counted(cells, _evaluations(cells, epochs))


def _seconds(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    found = pairing.times_to_target(cells)
    return found if cells["target"].notna().any() else found * np.nan


def _use(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    score = scores.of(cells)
    reached = at_target(score, cells[score.column], cells["target"])
    return _counted(cells, cells["nfe_eval"].astype(float).where(reached, np.inf))


def _ode(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    score = scores.of(cells)
    change = cells[tight_change(score)]
    holds = at_target(score, cells[score.column] + change, cells["target"])
    spent = _evaluations(cells, epochs).where(holds, np.inf)
    return _counted(cells, spent if change.notna().any() else spent * np.nan)


_IN_TRAINING = "the evaluations of f in training"
TRAINING = Cost("training", _IN_TRAINING, "evaluations of f in training", _training)
SECONDS = Cost("seconds", "the time of training", "the time of training", _seconds, timed=True)
USE = Cost("use", "the evaluations of f in use", "evaluations of f in use", _use)
ODE = Cost("ode", _IN_TRAINING, "evaluations of f in training as an ODE", _ode, as_ode=True)
COSTS = (TRAINING, SECONDS, USE, ODE)


def tight_change(score: Score) -> str:
    """Return the column that holds what a tight solve changes in the score of a task."""
    return "tight_accuracy_change" if score is scores.ACCURACY else "tight_score_change"


def at_target(score: Score, values: pd.Series, target: pd.Series) -> pd.Series:
    """Return where scores are the target or better; none that is missing is."""
    return values >= target if score.more_is_better else values <= target


def _evaluations(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.Series:
    """Return the evaluations of f of a training step, forward and backward, summed over epochs until the target.

    Times the steps of an epoch, which are as many for every solver of a task, these are the evaluations in training.
    """
    score = scores.of(cells)
    known = ["cell_id", "target", "nfe_backward"]
    rows = epochs[["cell_id", "epoch", score.column, "nfe_forward"]].merge(cells[known], on="cell_id")
    reached = rows["epoch"].where(at_target(score, rows[score.column], rows["target"]))
    first = reached.groupby(rows["cell_id"]).transform("min")
    spent = (rows["nfe_forward"] + rows["nfe_backward"].fillna(0)).where(rows["epoch"] <= first)
    sums = spent.groupby(rows["cell_id"]).sum(min_count=1)
    return cells["cell_id"].map(sums).astype(float).fillna(np.inf)


def _counted(cells: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    ok, idle = cells["status"] == CellStatus.OK, cells["status"] == CellStatus.SKIPPED
    unknown = bool(values.isna().all() or cells["target"].isna().all())
    spent = values.where(ok, np.inf).mask(idle | unknown)
    frame = cells[["seed", "solver"]].assign(host="", value=spent)
    return frame.groupby(["seed", "host", "solver"], sort=False)["value"].first().unstack("solver")
