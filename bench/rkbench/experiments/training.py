"""Train a network and evaluate it: what its solver costs, and what it is worth."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean, median
from typing import Any

import torch
from torch import nn

from rkbench import data
from rkbench.experiments.batch_mates import batch_mates
from rkbench.experiments.conditioning import conditioning
from rkbench.experiments.looks import critical_steps, looks, tight
from rkbench.experiments.tracing import traced
from rkbench.measure import peak_memory_mb, timed
from rkbench.memory import peak_tensor_mb
from rkbench.networks.block import ODEBlock
from rkbench.networks.mixed import in_mixed_precision
from rkbench.networks.running_cost import add_running_cost
from rkbench.objective import Objective
from rkbench.plan import MIXED, Cell
from rkbench.record import Record
from rkbench.saving import Checkpoint
from rkbench.solver import Solver
from rkbench.task import Task
from rkbench.train import Training


def measure(
    cell: Cell,
    task: Task,
    solver: Solver | None,
    record: Record,
    on_epoch: Callable[[dict[str, Any]], None],
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train the task's network with the solver, if it has one, and score it; go on from the checkpoint, if there is one.

    Raises:
        DataError: the dataset is missing or broken.
        SolveError: a solve failed.
        TrainingError: the loss exploded, or an engine miscounts.
    """
    dataset = data.load(task.dataset)
    record.data_sha256 = dataset.sha256
    dataset = _placed(dataset, cell.device, task.samples)
    record.target = task.target
    assert cell.epochs is not None
    network = _network(cell, task, solver, dataset)
    training = Training(network, dataset, task.recipe, cell.epochs, cell.seed)
    try:
        training.run(on_epoch, checkpoint)
    finally:
        _costs(record, training)
        record.timing_valid = record.timing_valid and (checkpoint is None or checkpoint.alone)
        record.peak_memory_mb = peak_memory_mb(training.device)
    _scores(record, training)
    record.trace = _trace(cell, network)
    record.step_memory_mb = _step_memory(training)
    _look_into(record, network, dataset, task.recipe.batch_size)


def _network(cell: Cell, task: Task, solver: Solver | None, dataset: data.Dataset) -> nn.Module:
    """Return the network that is trained, with what the cell and the task put around its f."""
    network: nn.Module = task.network(solver, dataset.x_train[:2], dataset.classes).to(cell.device)
    if cell.dtype == MIXED:
        network = in_mixed_precision(network)
    if task.kinetic or task.jacobian:
        add_running_cost(network, task.kinetic, task.jacobian)
    return network


def _look_into(record: Record, network: nn.Module, dataset: data.Dataset, batch_size: int) -> None:
    """What the trained network is under other solvers and alone, and what its flow is like."""
    found = looks(network, dataset.x_test, dataset.y_test, batch_size)
    record.looks = [look._asdict() for look in found]
    last = tight(found)
    if last is not None:
        record.tight_accuracy_change, record.tight_label_changes = last.accuracy_change, last.label_changes
        record.critical_steps = critical_steps(network, dataset.x_test, batch_size)
    flow = conditioning(network, dataset.x_test)
    if flow is not None:
        record.spectral_abscissa, record.numerical_abscissa, record.condition = flow
    mates = batch_mates(network, dataset.x_test, batch_size)
    if mates is not None:
        record.batch_logit_change, record.batch_label_changes = mates


def _step_memory(training: Training) -> float | None:
    """Return the most MiB alive in a training step of a copy, or None where its tensors are out of sight."""
    if training.meter.unseen:
        return None
    twin, size = copy.deepcopy(training.network).train(), training.recipe.batch_size
    twin.zero_grad(set_to_none=True)
    objective, x, y = Objective(twin), training.data.x_train[:size], training.data.y_train[:size]
    with torch.random.fork_rng():
        return peak_tensor_mb(lambda: objective(x, y)[0].backward(), training.device)


def _trace(cell: Cell, network: nn.Module) -> list[dict[str, Any]]:
    """Return the steps of the last solve of the network's first ODE block: of a training batch, after training."""
    block = next((module for module in network.modules() if isinstance(module, ODEBlock)), None)
    return traced(cell, float(block.t_span[0]), block.last_steps, block.last_retries) if block else []


def _placed(dataset: data.Dataset, device: str, samples: int | None) -> data.Dataset:
    """Return the dataset on the device, in the default dtype, with the first so many samples to train with."""
    dtype = torch.get_default_dtype()
    return replace(
        dataset,
        x_train=dataset.x_train[:samples].to(device, dtype),
        y_train=dataset.y_train[:samples].to(device),
        x_test=dataset.x_test.to(device, dtype),
        y_test=dataset.y_test.to(device),
    )


def _costs(record: Record, training: Training) -> None:
    """What the epochs cost, as far as they came, and how large the network is by then."""
    record.parameters = sum(p.numel() for p in training.network.parameters() if p.requires_grad)
    record.compile_seconds = training.compile_seconds
    record.curve, record.resumed_epochs = training.curve, training.resumed
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
