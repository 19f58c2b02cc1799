"""A run as DataFrames: what `rkbench.load` gives to a notebook."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rkbench import store
from rkbench.errors import RunError
from rkbench.report import extent, frames, reading
from rkbench.report.summary import summarise


@dataclass(frozen=True, eq=False)
class Results:
    """A run, read once; its frames are not to be changed.

    Attributes:
        cells: one row per planned cell, failures and cells not run yet included; the columns of a record, and
            ``solver``, its label.
        replicas: the same for the cells of the baseline's second label, which are not among ``cells``: what they and
            the first differ in, the run cannot tell.
        epochs: one row per epoch of a cell, with ``train_seconds`` since its start.
        looks: one row per solver that a trained network was tried with, its own first.
        signals: one row per layer of a network whose signal was followed.
        traces: one row per accepted step of a solve that adapted its steps, of one seed.
        manifest: what was run, on what and with what.
        notes: what was odd about the run folder, in sentences.
    """

    cells: pd.DataFrame
    replicas: pd.DataFrame
    epochs: pd.DataFrame
    looks: pd.DataFrame
    signals: pd.DataFrame
    traces: pd.DataFrame
    manifest: dict[str, Any]
    notes: list[str]

    @property
    def baseline(self) -> str | None:
        """The method that times are divided by."""
        return self.manifest.get("suite", {}).get("baseline")

    def of(self, experiment: str) -> Results:
        """Return the cells and epochs of one kind of experiment alone."""
        if experiment not in self._kinds:
            self._kinds[experiment] = self._alone(experiment)
        return self._kinds[experiment]

    @cached_property
    def _kinds(self) -> dict[str, Results]:
        return {}

    def _alone(self, experiment: str) -> Results:
        cells, replicas = (one[one["experiment"] == experiment] for one in (self.cells, self.replicas))
        ids = cells["cell_id"].tolist()  # of which pandas finds others in a fraction of the time
        return replace(
            self,
            cells=cells,
            replicas=replicas,
            epochs=self.epochs[self.epochs["cell_id"].isin(ids)],
            looks=self.looks[self.looks["cell_id"].isin(ids)],
            signals=self.signals[self.signals["cell_id"].isin(ids)],
            traces=self.traces[self.traces["cell_id"].isin(ids)],
        )

    def summary(self) -> pd.DataFrame:
        """Return one row per task and solver: medians over seeds with intervals (see `summary.summarise`)."""
        return self._summary.copy()

    @cached_property
    def _summary(self) -> pd.DataFrame:
        return summarise(self.cells, self.baseline)

    def _repr_html_(self) -> str:
        """Return what a notebook shows of a run: its tables, what they rest on, and how to go on."""
        from rkbench.report import notebook  # here, since the tables are made of results

        return notebook.render(self)


def load(run_folder: str | Path) -> Results:
    """Read a run folder; nothing in it changes but the cache of a large one (see `cache`).

    Raises:
        RunError: the folder holds no readable run.
    """
    manifest = store.read_manifest(Path(run_folder))
    if not isinstance(manifest.get("plan"), list):
        raise RunError(f"The manifest of {run_folder} has no plan; restore it or start a new run.")
    recorded = reading.of_plan(reading.recorded(Path(run_folder)), manifest["plan"])
    planned = frames.cells(manifest, recorded)
    cells, replicas = (planned[planned["replica"] == label].reset_index(drop=True) for label in (0, 1))
    notes = extent.few(recorded.notes) + frames.unplanned(manifest, recorded) + frames.skipped(cells)
    makers = (frames.epochs, frames.looks, frames.signals, frames.traces)
    epochs, looks, signals, traces = (make(recorded, cells) for make in makers)
    return Results(cells, replicas, epochs, looks, signals, traces, manifest, notes)
