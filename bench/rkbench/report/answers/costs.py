"""What is compared: the error at equal evaluations of f, and what it costs to reach the target that was fixed before the run.

A target that was not reached costs infinity. A cell that failed is infinite too, one that has not run or was skipped is
NaN, and so is what was not measured.
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
    """One of the measures by which sides are compared; less is better.

    Attributes:
        key: its short name.
        heading: what it is called above what was found.
        by: what a verdict on it rests on, as in "by ...".
        doc: what it counts, in a sentence.
        table: seeds × solvers of a task, from its cells and epochs; rows are seeds and machines, which is empty
            where these do not matter.
        timed: whether the machine's resolution limits what may be claimed; what is counted is exact.
        at_equal: whether it is an error, of settings that take as many evaluations of f as either side can.
    """

    key: str
    heading: str
    by: str
    doc: str
    table: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
    timed: bool = False
    at_equal: bool = False


def _error(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    return _errors(cells, as_ode=False)


def _error_as_ode(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    return _errors(cells, as_ode=True)


LEAST_ERROR = 0.5 / 10_000
"""What a classifier without a wrong answer counts as, so that it has a ratio: half of one on MNIST's test set."""


def _errors(cells: pd.DataFrame, *, as_ode: bool) -> pd.DataFrame:
    """Return what has a ratio: the share of wrong answers, the score, or of a likelihood the exponential of its score.

    An error that a tight solve could not tell is infinite; as an ODE none is known where no cell was solved tightly.
    """
    score = scores.of(cells)
    found = cells[score.column].astype(float)
    unknown = bool(found.isna().all())
    if as_ode:
        change = cells[tight_change(score)].astype(float)
        found, unknown = found + change, unknown or bool(change.isna().all())
    if score.more_is_better:
        found = (1 - found).clip(lower=LEAST_ERROR)
    elif not score.by_ratio:
        found = found.map(np.exp)
    return _of_cells(cells, found.fillna(np.inf), unknown=unknown)


def _training(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    return _counted(cells, _evaluations(cells, epochs))


def _seconds(cells: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Return the time to the target of cells that ran alone; of one beside others, not even that it never came counts."""
    beside = (cells["status"] == CellStatus.OK) & ~cells["timing_valid"].astype(bool)
    found = pairing.times_to_target(cells.assign(status=cells["status"].mask(beside, CellStatus.SKIPPED)))
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


ERROR = Cost(
    "error",
    "At equal evaluations of f, as trained",
    "the error as trained",
    "The error after training, under the solver of the training (a likelihood is one of the ODE in any case), of settings that "
    "take no more evaluations of f in a training step than the most of either side.",
    _error,
    at_equal=True,
)
ERROR_ODE = Cost(
    "error_ode",
    "At equal evaluations of f, as an ODE",
    "the error as an ODE",
    "The same when dopri5 solves the trained network at a tight tolerance; of a classifier, what that changes of its first 1000 "
    "test samples.",
    _error_as_ode,
    at_equal=True,
)
TRAINING = Cost(
    "training",
    "evaluations in training",
    "evaluations of f in training",
    "Evaluations of f, forward and backward, until an epoch ends at the target.",
    _training,
)
SECONDS = Cost(
    "seconds",
    "time of training",
    "the time of training",
    "Seconds of that training, where cells ran alone.",
    _seconds,
    timed=True,
)
USE = Cost(
    "use",
    "evaluations in use",
    "evaluations of f in use",
    "Evaluations of f for a batch of the trained network, where it ends at the target.",
    _use,
)
ODE = Cost(
    "ode",
    "evaluations in training, as an ODE",
    "evaluations of f in training as an ODE",
    "The first, of networks alone whose score stays at the target when dopri5 solves them at a tight tolerance.",
    _ode,
)
COSTS = (ERROR, ERROR_ODE, TRAINING, SECONDS, USE, ODE)


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
    return _of_cells(cells, values, unknown=bool(values.isna().all() or cells["target"].isna().all()))


def _of_cells(cells: pd.DataFrame, values: pd.Series, *, unknown: bool) -> pd.DataFrame:
    """Return what each cell has, seeds × solvers, nothing where the measure is ``unknown`` on the task."""
    ok, idle = cells["status"] == CellStatus.OK, cells["status"] == CellStatus.SKIPPED
    spent = values.where(ok, np.inf).mask(idle | unknown)
    frame = cells[["seed", "solver"]].assign(host="", value=spent)
    return frame.groupby(["seed", "host", "solver"], sort=False)["value"].first().unstack("solver")
