"""Train a network and evaluate it: what its solver costs, and what it is worth."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from statistics import fmean, median
from typing import Any

import torch
from torch import nn

from rkbench import data
from rkbench.classification import Classification
from rkbench.errors import SolveError
from rkbench.experiments.batch_mates import batch_mates
from rkbench.experiments.conditioning import conditioning
from rkbench.experiments.looks import critical_steps, looks, tight
from rkbench.experiments.score_looks import score_looks
from rkbench.experiments.tracing import traced
from rkbench.measure import peak_memory_mb, timed
from rkbench.memory import peak_tensor_mb
from rkbench.modelling import Modelling
from rkbench.networks.block import ODEBlock
from rkbench.networks.mixed import in_mixed_precision
from rkbench.networks.running_cost import add_running_cost
from rkbench.objective import Objective
from rkbench.plan import MIXED, Cell
from rkbench.record import Record
from rkbench.saving import Checkpoint
from rkbench.solver import Solver
from rkbench.task import ModelTask, Task
from rkbench.train import Training


def measure(
    cell: Cell,
    task: Task | ModelTask,
    solver: Solver | None,
    record: Record,
    on_epoch: Callable[[dict[str, Any]], None],
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train the task's network with the solver, if it has one, and score it; go on from the checkpoint, if there is one.

    Raises:
        DataError: the dataset is missing or broken.
        SolveError: a solve failed.
        TrainingError: the loss exploded, an engine miscounts, or the trained network has no score.
    """
    network, lesson = _learner(cell, task, solver, record)
    record.target = task.target
    assert cell.epochs is not None
    training = Training(network, lesson, task.recipe, cell.epochs, cell.seed)
    try:
        training.run(on_epoch, checkpoint)
    finally:
        _costs(record, training)
        record.timing_valid = record.timing_valid and (checkpoint is None or checkpoint.alone)
        record.peak_memory_mb = peak_memory_mb(training.device)
    _scores(record, training)
    record.trace = _trace(cell, network)
    record.step_memory_mb = _step_memory(training)
    if isinstance(lesson, Classification):
        _look_into(record, network, lesson.data, task.recipe.batch_size)
    else:
        _look_at_scores(record, training, lesson)


def _learner(
    cell: Cell, task: Task | ModelTask, solver: Solver | None, record: Record
) -> tuple[nn.Module, Classification | Modelling]:
    """Return the network that is trained, and what it learns."""
    if isinstance(task, ModelTask):
        record.data_sha256 = task.data_sha256()
        model = task.model(solver)
        record.subject = task.subject
        record.score = f"{task.score.name}, {task.score.unit}" if task.score.unit else task.score.name
        return _equipped(model.network, cell, task), Modelling(model, task.recipe, task.score, cell.device)
    dataset = data.load(task.dataset, task.samples)
    record.data_sha256 = dataset.sha256
    dataset = _placed(dataset, cell.device, task.samples)
    network = task.network(solver, dataset.x_train[:2], dataset.classes)
    return _equipped(network, cell, task), Classification(dataset, task.recipe)


def _equipped(network: nn.Module, cell: Cell, task: Task | ModelTask) -> nn.Module:
    """Return the network where it is trained, with what the cell and the task put around its f."""
    network = network.to(cell.device)
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


def _look_at_scores(record: Record, training: Training, lesson: Modelling) -> None:
    """What the trained network is worth under other solvers, and what its own loses."""
    with suppress(SolveError):  # the way back may be harder than the way that was trained
        record.solver_error = lesson.solver_error(training.network)
    found = score_looks(training)
    record.looks = [look._asdict() for look in found]
    last = tight(found)
    if last is not None and record.test_score is not None:
        record.tight_score_change = last.test_score - record.test_score


def _step_memory(training: Training) -> float | None:
    """Return the most MiB alive in a training step of a copy, or None where its tensors are out of sight."""
    if training.meter.unseen:
        return None
    twin, batch = copy.deepcopy(training.network).train(), training.lesson.sizes()[0]
    twin.zero_grad(set_to_none=True)
    objective = Objective(twin, training.lesson)
    with torch.random.fork_rng():
        return peak_tensor_mb(lambda: objective(batch)[0].backward(), training.device)


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
        if target is not None and _reaches(row, target):
            return elapsed
    return None


def _reaches(row: dict[str, Any], target: float) -> bool:
    """Whether an epoch ended at the target: an accuracy as high, or a score as low."""
    return row["test_accuracy"] >= target if "test_accuracy" in row else row["test_score"] <= target


def _scores(record: Record, training: Training) -> None:
    """What the trained network is worth."""
    lesson = training.lesson
    record.eval_seconds, (record.test_loss, reached, record.nfe_eval) = timed(
        lambda: training.evaluate(lesson.test()), training.device
    )
    setattr(record, lesson.column, training.judged(reached))
    record.train_loss, known, _ = training.evaluate(lesson.training())
    setattr(record, lesson.column.replace("test", "train"), known)
