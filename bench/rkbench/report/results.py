"""A run as DataFrames: what `rkbench.load` gives to a notebook."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rkbench import store
from rkbench.errors import RunError
from rkbench.report import frames
from rkbench.report.summary import summarise


@dataclass(frozen=True)
class Results:
    """A run, read once.

    Attributes:
        cells: one row per planned cell, failures and cells not run yet included; the columns of a record, and
            ``solver``, its label.
        epochs: one row per epoch of a cell, with ``train_seconds`` since its start.
        manifest: what was run, on what and with what.
        notes: what was odd about the run folder, in sentences.
    """

    cells: pd.DataFrame
    epochs: pd.DataFrame
    manifest: dict[str, Any]
    notes: list[str]

    @property
    def baseline(self) -> str | None:
        """The method that times are divided by."""
        return self.manifest.get("suite", {}).get("baseline")

    def of(self, experiment: str) -> Results:
        """Return the cells and epochs of one kind of experiment alone."""
        cells = self.cells[self.cells["experiment"] == experiment]
        return replace(self, cells=cells, epochs=self.epochs[self.epochs["cell_id"].isin(cells["cell_id"])])

    def summary(self) -> pd.DataFrame:
        """Return one row per task and solver: medians over seeds with intervals (see `summary.summarise`)."""
        return summarise(self.cells, self.baseline)


def load(run_folder: str | Path) -> Results:
    """Read a run folder without changing it.

    Raises:
        RunError: the folder holds no readable run.
    """
    ledger = store.read(run_folder)
    if not isinstance(ledger.manifest.get("plan"), list):
        raise RunError(f"The manifest of {run_folder} has no plan; restore it or start a new run.")
    cells = frames.cells(ledger)
    notes = ledger.notes + frames.unplanned(ledger) + frames.skipped(cells)
    return Results(cells, frames.epochs(ledger, cells), ledger.manifest, notes)
