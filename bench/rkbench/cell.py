"""One cell, measured: where mathematics and bookkeeping meet. Runs in a fresh process and never raises."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import Any

import torch
from torch import nn

from rkbench import data, registry
from rkbench.errors import SolveError, UserError
from rkbench.measure import peak_memory_mb, timed
from rkbench.plan import Cell, blank_record, now
from rkbench.record import CellStatus, Record
from rkbench.tableau import ButcherTableau
from rkbench.train import Training, TrainingError

DTYPES = {"float32": torch.float32, "float64": torch.float64}

Progress = Callable[[dict[str, Any]], None]


def run(cell: Cell, files: Sequence[str], on_epoch: Progress, *, alone: bool) -> Record:
    """Train and evaluate what the cell names, and return its record, whatever happens.

    Args:
        cell: the names and numbers.
        files: single-file plugins to load.
        on_epoch: is told the curve row of each epoch.
        alone: whether no other cell runs beside it, so that its times count.
    """
    start = time.perf_counter()
    record = blank_record(cell)
    record.timing_valid = alone
    try:
        _measure(cell, files, on_epoch, record)
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
        case TrainingError():
            status, sentence = error.status, str(error)
        case MemoryError() | torch.OutOfMemoryError():
            status = CellStatus.OUT_OF_MEMORY
        case UserError():
            status = CellStatus.PLUGIN_FAILED
        case _:
            status = CellStatus.CRASHED
    return status, " ".join(sentence.split())[:500]


def _measure(cell: Cell, files: Sequence[str], on_epoch: Progress, record: Record) -> None:
    plugins = registry.load(files)
    task = plugins.task(cell.task)
    # After the plugins, any of which may have set them for everybody while it was imported.
    torch.set_num_threads(cell.threads)
    torch.set_default_dtype(DTYPES[cell.dtype])
    solver = cell.solver(plugins)
    _describe(record, solver.method)
    dataset = data.load(task.dataset)
    record.data_sha256 = dataset.sha256
    dataset = _placed(dataset, cell)
    torch.manual_seed(cell.seed)
    network: nn.Module = task.network(solver, dataset.x_train[:2], dataset.classes).to(cell.device)
    record.parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    record.target = task.target
    training = Training(network, dataset, task.recipe, cell.epochs, cell.seed)
    try:
        training.run(on_epoch)
    finally:
        _costs(record, training)
        record.peak_memory_mb = peak_memory_mb(training.device)
    _scores(record, training)


def _describe(record: Record, method: ButcherTableau) -> None:
    record.order, record.stages = method.order, method.stages
    if method.adaptive:
        low = f",{method.embedded_low_order}" if method.embedded_low_order is not None else ""
        record.error_estimator = f"{method.order}({method.embedded_order}{low})"


def _placed(dataset: data.Dataset, cell: Cell) -> data.Dataset:
    dtype = DTYPES[cell.dtype]
    return replace(
        dataset,
        x_train=dataset.x_train.to(cell.device, dtype),
        y_train=dataset.y_train.to(cell.device),
        x_test=dataset.x_test.to(cell.device, dtype),
        y_test=dataset.y_test.to(cell.device),
    )


def _costs(record: Record, training: Training) -> None:
    """What the epochs cost, as far as they came."""
    record.curve = training.curve
    if not training.curve:
        return
    seconds = [row["seconds"] for row in training.curve]
    record.train_seconds, record.epoch_seconds = sum(seconds), median(seconds)
    record.nfe_forward, record.nfe_backward = (
        median(training.log.nfe_forward),
        median(training.log.nfe_backward),
    )
    record.accepted, record.rejected = median(training.log.accepted), fmean(training.log.rejected)
    record.vjps = median(training.vjps)
    record.seconds_to_target = _seconds_to_target(training.curve, record.target)


def _seconds_to_target(curve: list[dict[str, Any]], target: float | None) -> float | None:
    elapsed = 0.0
    for row in curve:
        elapsed += row["seconds"]
        if target is not None and row["test_accuracy"] >= target:
            return elapsed
    return None


def _scores(record: Record, training: Training) -> None:
    """What the trained network is worth."""
    d = training.data
    record.eval_seconds, (record.test_loss, record.test_accuracy, record.nfe_eval) = timed(
        lambda: training.evaluate(d.x_test, d.y_test), training.device
    )
    record.train_loss, record.train_accuracy, _ = training.evaluate(d.x_train, d.y_train)
