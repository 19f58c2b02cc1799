"""One cell, measured: where mathematics and bookkeeping meet. Runs in a fresh process and never raises."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from rkbench import machine, registry
from rkbench.errors import SolveError, UnsupportedError, UserError
from rkbench.experiments import EXPERIMENTS, RESUMABLE, Progress
from rkbench.experiments.failure import ExperimentFailed
from rkbench.plan import Cell, blank_record, engine_version, now
from rkbench.printable import printable
from rkbench.record import CellStatus, Record
from rkbench.saving import Checkpoint
from rkbench.solver import Solver
from rkbench.tableau import ButcherTableau
from rkbench.train import TrainingError

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bf16_mixed": torch.float32}
"""Name -> type of states and parameters."""


def run(
    cell: Cell,
    files: Sequence[str],
    on_epoch: Progress,
    *,
    alone: bool,
    checkpoint: Checkpoint | None = None,
) -> Record:
    """Measure what the cell names by the experiment of its kind, and return its record, whatever happens.

    Args:
        cell: the names and numbers.
        files: single-file plugins to load.
        on_epoch: is told the curve row of each epoch.
        alone: whether no other cell runs beside it, so that its times count.
        checkpoint: what an experiment goes on from, if it can, and leaves for another process.
    """
    start = time.perf_counter()
    record = blank_record(cell)
    record.timing_valid = alone
    record.cpus = ",".join(map(str, machine.affinity()))
    try:
        _measure(cell, files, on_epoch, record, checkpoint)
        record.status = CellStatus.OK
    except Exception as error:  # a plugin may raise anything; each way to fail has a name
        record.status, record.message = outcome(error)
    record.wall_seconds = time.perf_counter() - start
    record.measured_at = now()
    return record


def outcome(error: BaseException) -> tuple[str, str]:
    """Return the status and the sentence for what ended a cell."""
    sentence = f"{type(error).__name__}: {error}" if not isinstance(error, UserError) else str(error)
    match error:
        case SolveError():
            status, sentence = error.solution.status.value, str(error)
        case TrainingError() | ExperimentFailed():
            status, sentence = error.status, str(error)
        case MemoryError() | torch.OutOfMemoryError():
            status = CellStatus.OUT_OF_MEMORY
        case UnsupportedError():
            status = CellStatus.SKIPPED
        case UserError():
            status = CellStatus.PLUGIN_FAILED
        case _:
            status = CellStatus.CRASHED
    return status, printable(" ".join(sentence.split()))[:500]


def _measure(
    cell: Cell, files: Sequence[str], on_epoch: Progress, record: Record, checkpoint: Checkpoint | None
) -> None:
    plugins = registry.load(files)
    task = plugins.task(cell.task)
    # After the plugins, any of which may have set them for everybody while it was imported.
    torch.set_num_threads(cell.threads)
    torch.set_default_dtype(DTYPES[cell.dtype])
    torch.manual_seed(cell.seed)
    solver = cell.solver(plugins)
    if solver is not None:
        _describe(record, solver.method)
        _introduce(record, solver)
    more: dict[str, Any] = {"checkpoint": checkpoint} if cell.experiment in RESUMABLE else {}
    EXPERIMENTS[cell.experiment](cell, task, solver, record, on_epoch, **more)


def _describe(record: Record, method: ButcherTableau) -> None:
    record.order, record.stages = method.order, method.stages
    if method.adaptive:
        low = f",{method.embedded_low_order}" if method.embedded_low_order is not None else ""
        record.error_estimator = f"{method.order}({method.embedded_order}{low})"


def _introduce(record: Record, solver: Solver) -> None:
    """Take down which library runs the solves, and what is known of it; an engine need not tell either."""
    engine = solver.engine
    record.engine_version = engine_version(engine)
    remarks = getattr(engine, "remarks", None)
    if remarks is not None:
        found = remarks(solver.method, adaptive=solver.adaptive, gradient=solver.gradient)
        record.engine_remarks = "; ".join(found)
