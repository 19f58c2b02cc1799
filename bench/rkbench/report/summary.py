"""Cells to one row per task and solver: medians over seeds with intervals, time as a ratio, and every failure."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import frames, statistics

MEASURES = (
    "train_seconds",
    "epoch_seconds",
    "train_accuracy",
    "test_accuracy",
    "train_score",
    "test_score",
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
    "state_gradient_ratio",
    "parameter_gradient_ratio",
    "tight_accuracy_change",
    "tight_label_changes",
    "tight_score_change",
    "solver_error",
    "critical_steps",
    "spectral_abscissa",
    "numerical_abscissa",
    "condition",
    "batch_logit_change",
    "batch_label_changes",
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
    "score": "What `test_score` is, with its unit; empty for a task judged by its accuracy",
    "target": "What the task names as its target: test accuracy, 0 to 1, or a test score",
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
        reference = _times(task[task["solver"] == baseline_solver(task, baseline)])
        target = task["target"].dropna().max()
        arrays = _arrays(task.assign(score=_score(task)))
        solver, first = pd.factorize(task["solver"])
        rows += [
            _row({name: values[solver == number] for name, values in arrays.items()}, reference, target)
            for number in range(len(first))
        ]
    return pd.DataFrame(rows, columns=_columns())


def baseline_solver(task: pd.DataFrame, baseline: str | None) -> str | None:
    """Return the first solver of the baseline method, the native engine's with backprop if there is one, or None."""
    found = task[task["method"] == baseline]
    plain = found[(found["engine"] == "rkbench") & (found["gradient"] == "backprop")]
    solvers = (found if plain.empty else plain)["solver"]
    return None if solvers.empty else str(solvers.iloc[0])


def paired_times(cells: pd.DataFrame, reference: pd.DataFrame) -> statistics.Estimate:
    """Return the ratio of times, each of what the cell was run for, by seed; NaN where no pair was timed on one machine."""
    return _ratio(_times(cells), _times(reference))


def _score(task: pd.DataFrame) -> str:
    """Return what the cells of a task are judged by, as far as one of them came to tell."""
    return next((str(one) for one in task["score"].dropna().unique() if one), "")


Cells = dict[str, np.ndarray]
"""Columns of some cells."""

_NAMES = ("task", "experiment", "solver", "method", "engine", "gradient", "score")
_Times = list[tuple[tuple[Any, Any], float]]


def _arrays(task: pd.DataFrame) -> Cells:
    """Return what a summary needs of the cells of a task, since selecting rows of a frame takes its time."""
    told = {name: task[name].to_numpy() for name in (*_NAMES, "seed", "host", "status", "parameters")}
    known = {name: task[name].to_numpy(dtype=float) for name in MEASURES}
    marked = {"pending": frames.pending(task), "ok": task["status"] == CellStatus.OK, "timed": _timed(task)}
    return (
        told
        | known
        | {name: mark.to_numpy(dtype=bool) for name, mark in marked.items()}
        | {"seconds": _seconds(task).to_numpy(dtype=float)}
    )


def _row(cells: Cells, reference: _Times, target: float) -> dict[str, Any]:
    ok, ran = cells["ok"], ~cells["pending"]
    row: dict[str, Any] = {name: cells[name][0] for name in _NAMES}
    row |= {"n_planned": len(ok), "n_run": int(ran.sum()), "n_ok": int(ok.sum())}
    row |= {"n_timed": int(cells["timed"].sum()), "statuses": _statuses(cells)}
    row |= {
        "parameters": max((n for n in cells["parameters"] if not pd.isna(n)), default=pd.NA),
        "target": target,
    }
    for name in MEASURES:
        values = _to_target(cells, target) if name == "seconds_to_target" else cells[name][ok]
        row |= _named(name, statistics.median(values))
    return row | _named("time_ratio", _ratio(_paired(cells), reference))


def _times(cells: pd.DataFrame) -> _Times:
    """Return the times that may be compared, each with its seed and machine."""
    timed = cells[_timed(cells)]
    return list(zip(zip(timed["seed"], timed["host"], strict=True), _seconds(timed), strict=True))


def _paired(cells: Cells) -> _Times:
    timed = (cells[name][cells["timed"]].tolist() for name in ("seed", "host", "seconds"))
    return [((seed, host), time) for seed, host, time in zip(*timed, strict=True)]


def _ratio(times: _Times, reference: _Times) -> statistics.Estimate:
    """Return the ratio of times of one seed on one machine, each with each."""
    beside: dict[tuple[Any, Any], list[float]] = {}
    for where, time in reference:
        beside.setdefault(where, []).append(time)
    pairs = [(time, other) for where, time in times for other in beside.get(where, [])]
    return statistics.ratio([time for time, _ in pairs], [other for _, other in pairs])


def _timed(cells: pd.DataFrame) -> pd.Series:
    return (cells["status"] == CellStatus.OK) & cells["timing_valid"] & _seconds(cells).notna()


def _seconds(cells: pd.DataFrame) -> pd.Series:
    """Return the time that a cell was run for."""
    return cells["train_seconds"].fillna(cells["solve_seconds"]).fillna(cells["step_seconds"])


def _to_target(cells: Cells, target: float) -> np.ndarray:
    """Return the seconds of every cell that ran, infinity for a failed one and one that stayed below."""
    reached = cells["seconds_to_target"]
    if pd.isna(target):
        return np.full(len(reached), np.nan)
    return np.where(cells["ok"] & ~np.isnan(reached), reached, np.inf)[~cells["pending"]]


def _statuses(cells: Cells) -> str:
    words = np.where(cells["pending"], frames.NOT_RUN, cells["status"])
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())


def _named(name: str, estimate: statistics.Estimate) -> dict[str, float]:
    return {name: estimate.median, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _columns() -> list[str]:
    spread = [
        [name, f"{name}_low", f"{name}_high"] if name in ESTIMATED else [name] for name in SUMMARY_COLUMNS
    ]
    return [column for columns in spread for column in columns]
