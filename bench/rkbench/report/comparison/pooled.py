"""Several runs as one: accuracy and counts over all of them, times within each machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import labels, pairing, statistics
from rkbench.report.results import Results

SHARED = ("test_accuracy", "test_score", "nfe_forward", "solution_error", "gradient_error", "step_memory_mb")
"""Measures that are pooled over machines."""


def pool(runs: Mapping[str, Results]) -> pd.DataFrame:
    """Return one row per task, solver and machine: medians over the seeds of all runs, with their intervals.

    A seed that several runs measured counts once, by the median of its cells. ``seconds`` are of the machine ``host``
    alone and ``n_timed`` its seeds; all else is over every machine. Cells that differ in threads, epochs or coefficients
    are not pooled, and neither are those of other data.
    """
    cells = pd.concat([one.cells.assign(run=name) for name, one in runs.items()], ignore_index=True)
    cells["solver"] = labels.solvers(cells)
    cells["task"] = _tasks(cells)
    rows = [
        row
        for (task, solver), one in cells.groupby(["task", "solver"], sort=False)
        for row in _rows(one, {"task": task, "solver": solver})
    ]
    return pd.DataFrame(rows)


def _tasks(cells: pd.DataFrame) -> list[str]:
    several = cells["data_sha256"].replace("", pd.NA).groupby(cells["task"]).transform("nunique") > 1
    return [
        f"{task} (data {data[:4] or 'unknown'})" if apart else task
        for task, data, apart in zip(cells["task"], cells["data_sha256"], several, strict=True)
    ]


def _rows(cells: pd.DataFrame, named: dict[str, Any]) -> list[dict[str, Any]]:
    ok = cells["status"] == CellStatus.OK
    shared: dict[str, Any] = {
        "runs": " ".join(dict.fromkeys(cells["run"])),
        "n_ok": int(ok.sum()),
        "n_planned": len(cells),
        "n_seeds": int(cells.loc[ok, "seed"].nunique()),
    }
    for name in SHARED:
        shared |= _estimate(name, cells.loc[ok].groupby("seed")[name].median())
    hosts = list(dict.fromkeys(cells.loc[ok, "host"])) or [""]
    return [named | {"host": host} | shared | _timed(cells[cells["host"] == host]) for host in hosts]


def _timed(cells: pd.DataFrame) -> dict[str, Any]:
    if cells.empty:
        return {"n_timed": 0} | _estimate("seconds", pd.Series(dtype=float))
    spent = pd.concat([pairing.times(one).iloc[:, 0] for _, one in cells.groupby("run", sort=False)])
    seeds = spent.groupby(level="seed").median().dropna()
    return {"n_timed": len(seeds)} | _estimate("seconds", seeds)


def _estimate(name: str, values: pd.Series) -> dict[str, float]:
    found = statistics.median(values.to_numpy(dtype=float))
    return {f"{name}{end}": value for end, value in zip(("", "_low", "_high"), found, strict=True)}
