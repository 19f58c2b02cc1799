"""Runs made by hand whose suite asks a question, and tables of costs, which the tests of the answers read."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from test_report_example import cell, ok, written

from rkbench.record import Record

ASK = "Are higher-order methods better?"
ORDERS = {"euler": 1, "midpoint": 2, "rk4": 4, "dopri5": 5}
EPOCHS = 6
TARGET = 0.05


def trained(
    method: str, seed: int, first: int | None, task: str = "pendulum", nfe: float = 10, **given: Any
) -> Record:
    """Return the record of a cell whose score reaches the target at the end of the epoch ``first``, or of none."""
    point = {key: given.pop(key) for key in ("steps", "rtol", "replica") if key in given}
    curve = [
        {
            "epoch": epoch,
            "seconds": 0.1 * nfe,
            "train_loss": 1.0,
            "test_loss": 1.0,
            "test_score": 0.04 if first is not None and epoch >= first else 0.2,
            "nfe_forward": nfe,
        }
        for epoch in range(1, EPOCHS + 1)
    ]
    values: dict[str, Any] = {
        "test_accuracy": None, "train_accuracy": None, "score": "error", "test_score": curve[-1]["test_score"],
        "target": TARGET, "order": ORDERS[method], "nfe_forward": nfe, "nfe_eval": nfe, "tight_score_change": 0.0,
        "seconds_to_target": None if first is None else 0.1 * nfe * first, "curve": curve,
    }  # fmt: skip
    planned = cell(method, seed, task=task, **point)
    planned["cell_id"] += f"-{point.get('replica', 0)}"
    return ok(planned, 0.1 * nfe * EPOCHS, **values | given)


def asking(folder: Path, records: list[Record], tasks: list[str], **manifest: Any) -> Path:
    """Write a run of these records whose suite asks about tasks."""
    question = {"ask": ASK, "tasks": tasks, "low": [], "high": []}
    return written(folder, records, **{"question": [question]} | manifest)


def table(costs: Any) -> pd.DataFrame:
    """Return costs, shape [seeds, settings], as a table of one machine."""
    values = np.asarray(costs, dtype=float)
    return pd.DataFrame(values, _index(len(values)), [f"setting {n}" for n in range(values.shape[1])])


@cache
def _index(seeds: int) -> pd.MultiIndex:
    return pd.MultiIndex.from_product([range(seeds), [""]], names=["seed", "host"])
