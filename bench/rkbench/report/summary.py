"""Cells to one row per task and solver: medians over seeds with intervals, time as a ratio, and every failure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import frames, statistics

MEASURES = (
    "train_seconds",
    "train_accuracy",
    "test_accuracy",
    "nfe_forward",
    "nfe_backward",
    "nfe_step",
    "vjps",
    "nfe_eval",
    "accepted",
    "rejected",
    "seconds_to_target",
    "solve_seconds",
    "solution_error",
    "step_seconds",
    "step_memory_mb",
    "gradient_error",
    "discrete_gradient_error",
)

SUMMARY_COLUMNS = {
    "task": "Task",
    "experiment": "How the task was measured",
    "solver": "Label of the solver, unique within the run",
    "method": "Butcher tableau",
    "engine": "What executed the solves",
    "gradient": "How the solve was differentiated",
    "n_planned": "Cells planned, one per seed",
    "n_run": "Cells that have a record",
    "n_ok": "Cells that ended ok; medians are over these, except `seconds_to_target`",
    "n_timed": "Cells that ended ok and ran alone, so that their times may be compared",
    "statuses": "How often each status occurred",
    "parameters": "Trainable parameters of the network",
    "target": "Test accuracy that the task names as its target, 0 to 1",
    **{name: f"Median over seeds of `{name}`" for name in MEASURES},
    "seconds_to_target": "Median over seeds of `seconds_to_target`; a seed that failed or never reached it counts as infinity",
    "nfe_step": "Median over seeds of `nfe_forward` + `nfe_backward`: evaluations of f in one training step",
    "time_ratio": "Ratio of times, of training, solve or gradient, to the baseline's at equal seed and machine (Hodges–Lehmann)",
}
ESTIMATED = (*MEASURES, "time_ratio")


def summarise(cells: pd.DataFrame, baseline: str | None) -> pd.DataFrame:
    """Return one row per task and solver, in the order of the plan.

    Args:
        cells: the frame of `frames.cells`.
        baseline: method whose first solver the times are divided by; None for no ratios.

    Returns:
        The columns of `SUMMARY_COLUMNS`; each median ``x`` has its interval in ``x_low`` and ``x_high``, NaN
        for a single seed. A solver whose every cell failed has its row.
    """
    rows = []
    cells = cells.assign(nfe_step=cells["nfe_forward"] + cells["nfe_backward"].fillna(0))
    for _, task in cells.groupby("task", sort=False):
        reference = task[task["solver"] == baseline_solver(task, baseline)]
        target = task["target"].dropna().max()
        for _, cell in task.groupby("solver", sort=False):
            rows.append(_row(cell, reference, target))
    return pd.DataFrame(rows, columns=_columns())


def baseline_solver(task: pd.DataFrame, baseline: str | None) -> str | None:
    """Return the first solver of the baseline method, the native engine's with backprop if there is one, or None."""
    found = task[task["method"] == baseline]
    plain = found[(found["engine"] == "rkbench") & (found["gradient"] == "backprop")]
    solvers = (found if plain.empty else plain)["solver"]
    return None if solvers.empty else str(solvers.iloc[0])


def paired_times(cells: pd.DataFrame, reference: pd.DataFrame) -> statistics.Estimate:
    """Return the ratio of times, each of what the cell was run for, by seed; NaN where no pair was timed on one machine."""
    timed, other = (frame.assign(timed=_seconds(frame))[_timed(frame)] for frame in (cells, reference))
    pairs = timed.merge(other, on=["seed", "host"], suffixes=("", "_reference"))
    return statistics.ratio(pairs["timed"].to_numpy(), pairs["timed_reference"].to_numpy())


def _row(cells: pd.DataFrame, reference: pd.DataFrame, target: float) -> dict[str, Any]:
    ok = cells[cells["status"] == CellStatus.OK]
    row: dict[str, Any] = {
        name: cells[name].iloc[0] for name in ("task", "experiment", "solver", "method", "engine", "gradient")
    }
    row |= {"n_planned": len(cells), "n_run": int((~frames.pending(cells)).sum()), "n_ok": len(ok)}
    row |= {"n_timed": int(_timed(cells).sum()), "statuses": _statuses(cells)}
    row |= {"parameters": cells["parameters"].max(), "target": target}
    for name in MEASURES:
        values = _to_target(cells, target) if name == "seconds_to_target" else ok[name].to_numpy()
        row |= _named(name, statistics.median(values))
    return row | _named("time_ratio", paired_times(cells, reference))


def _timed(cells: pd.DataFrame) -> pd.Series:
    return (cells["status"] == CellStatus.OK) & cells["timing_valid"] & _seconds(cells).notna()


def _seconds(cells: pd.DataFrame) -> pd.Series:
    """Return the time that a cell was run for."""
    return cells["train_seconds"].fillna(cells["solve_seconds"]).fillna(cells["step_seconds"])


def _to_target(cells: pd.DataFrame, target: float) -> np.ndarray:
    """Return the seconds of every cell that ran, infinity for a failed one and one that stayed below."""
    ran = cells[~frames.pending(cells)]
    if pd.isna(target):
        return np.full(len(ran), np.nan)
    return ran["seconds_to_target"].where(ran["status"] == CellStatus.OK).fillna(np.inf).to_numpy()


def _statuses(cells: pd.DataFrame) -> str:
    words = cells["status"].where(~frames.pending(cells), frames.NOT_RUN)
    counts = words.value_counts(sort=False)
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _named(name: str, estimate: statistics.Estimate) -> dict[str, float]:
    return {name: estimate.median, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _columns() -> list[str]:
    spread = [
        [name, f"{name}_low", f"{name}_high"] if name in ESTIMATED else [name] for name in SUMMARY_COLUMNS
    ]
    return [column for columns in spread for column in columns]
