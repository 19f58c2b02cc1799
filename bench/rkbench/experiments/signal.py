"""Follow the gradient of the loss back through a network as it is initialised, layer by layer; nothing is trained."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rkbench import data
from rkbench.controller import FIXED
from rkbench.errors import UnsupportedError
from rkbench.experiments.failure import ExperimentFailed
from rkbench.experiments.tracing import traced
from rkbench.measure import Meter, peak_memory_mb
from rkbench.networks.block import ODEBlock
from rkbench.plan import Cell
from rkbench.record import CellStatus, Record
from rkbench.solver import Solver
from rkbench.task import SignalTask
from rkbench.train import StepLog


class LayerSignal(NamedTuple):
    """What of the gradient of the loss reaches a layer.

    Attributes:
        layer: its number, from 1 at the input on.
        state_gradient: 2-norm over the batch of the gradient with respect to the state after it.
        parameter_gradient: 2-norm of that with respect to its parameters; 0 without any.
    """

    layer: int
    state_gradient: float
    parameter_gradient: float


def measure(
    cell: Cell,
    task: SignalTask,
    solver: Solver | None,
    record: Record,
    on_epoch: Callable[[dict[str, Any]], None],
) -> None:
    """Follow the gradient of the cross-entropy of a batch of training samples, behind a linear classifier.

    Batch and classifier are drawn before the network, so that they are the same for all networks of a seed.

    Raises:
        DataError: the dataset is missing or broken.
        SolveError: the solve failed.
        TrainingError: the engine miscounts.
        UnsupportedError: the solve is none whose steps can be looked at one by one.
        ExperimentFailed: a gradient is NaN or infinite.
    """
    if solver is not None:
        _refuse(solver)
    dataset, device = data.load(task.dataset), torch.device(cell.device)
    record.data_sha256 = dataset.sha256
    chosen = torch.randperm(len(dataset.x_train))[: task.samples]
    x = dataset.x_train[chosen].flatten(1).to(device, torch.get_default_dtype())
    head = nn.Linear(x.shape[1], dataset.classes).to(device)
    network = task.network(solver, x.shape[1]).to(device)
    record.parameters = sum(p.numel() for part in (network, head) for p in part.parameters())
    end = _solved(cell, record, network, x)
    layers = unrolled(network, x)
    record.layers = len(layers)
    _refuse_another_map(layers, x, end)
    _take_down(record, followed(layers, head, x, dataset.y_train[chosen].to(device)))
    record.peak_memory_mb = peak_memory_mb(device)


def _refuse(solver: Solver) -> None:
    """Refuse what has no gradient of each step, or steps that are not those of the whole batch."""
    if solver.gradient != "backprop":
        raise UnsupportedError(
            f"The signal is the exact gradient of every step, which gradient={solver.gradient!r} does not give; use "
            "gradient='backprop'."
        )
    if solver.control != "batch":
        raise UnsupportedError(
            f"control={solver.control!r} gives each sample steps of its own, so there are no layers that all of them come "
            "through; use control='batch'."
        )


@torch.no_grad()
def _solved(cell: Cell, record: Record, network: nn.Sequential, x: Tensor) -> Tensor:
    """Return what the network makes of a batch, with the bill of its solves taken down if it has any."""
    meter = Meter(network)
    before = meter.read()
    end = network(x)
    after = meter.read()
    blocks = [module for module in network if isinstance(module, ODEBlock)]
    if blocks:
        log = StepLog()
        log.add(before, after, after)
        record.nfe_forward, record.accepted, record.rejected = (
            log.nfe_forward[0],
            log.accepted[0],
            log.rejected[0],
        )
        first = blocks[0]
        record.trace = traced(cell, float(first.t_span[0]), first.last_steps, first.last_retries)
    return end


@torch.no_grad()
def unrolled(network: nn.Sequential, x: Tensor) -> list[nn.Module]:
    """Return the layers of a network, each accepted step of an ODE block being one.

    A step is a block of one equal step with weights of its own, which equal those of the others: so the gradient with
    respect to them is what this step adds to that of the weights that all share.
    """
    layers: list[nn.Module] = []
    for module in network:
        x = module(x)
        layers += _steps(module) if isinstance(module, ODEBlock) else [module]
    return layers


def _steps(block: ODEBlock) -> list[nn.Module]:
    """Return the steps of the last solve of a block."""
    one = replace(block.solver, steps=1, controller=FIXED, compile=False, speculative=False)
    times = list(itertools.accumulate(block.last_steps, initial=float(block.t_span[0])))
    return [ODEBlock(copy.deepcopy(block.f), solver=one, t_span=span) for span in itertools.pairwise(times)]


def _refuse_another_map(layers: Sequence[nn.Module], x: Tensor, end: Tensor) -> None:
    """Refuse steps that, taken one by one, do not lead where the network does, as of an engine that remembers more."""
    with torch.no_grad():
        for layer in layers:
            x = layer(x)
    off = math.sqrt(torch.finfo(x.dtype).eps)
    if not torch.allclose(x, end, rtol=off, atol=off, equal_nan=True):
        raise UnsupportedError(
            "The steps of this solve, taken one by one, end elsewhere, so they are no layers that a gradient comes through; "
            "use engine='rkbench'."
        )


def followed(layers: Sequence[nn.Module], head: nn.Module, x: Tensor, y: Tensor) -> list[LayerSignal]:
    """Return what of the gradient reaches each layer.

    Args:
        layers: each maps a state ``[batch, …]`` to the next.
        head: maps the last state to logits ``[batch, classes]``.
        x: the first state.
        y: the labels ``[batch]``.
    """
    states = [x.detach().requires_grad_()]
    for layer in layers:
        states.append(layer(states[-1]))
    loss = cross_entropy(head(states[-1]), y)
    weights = [[p for p in layer.parameters() if p.requires_grad] for layer in layers]
    every = [*states[1:], *itertools.chain.from_iterable(weights)]
    found = iter(torch.autograd.grad(loss, every, materialize_grads=True))
    to_states = [norm([next(found)]) for _ in layers]
    to_weights = [norm([next(found) for _ in own]) for own in weights]
    return [
        LayerSignal(number, *norms)
        for number, norms in enumerate(zip(to_states, to_weights, strict=True), start=1)
    ]


def norm(tensors: Sequence[Tensor]) -> float:
    """Return the 2-norm of all entries together, as multiples of the largest, so that no square underflows or overflows."""
    entries = torch.cat([tensor.detach().double().flatten() for tensor in tensors] or [torch.zeros(1)])
    largest = float(entries.abs().max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float((entries / largest).norm())


def _take_down(record: Record, found: Sequence[LayerSignal]) -> None:
    if not all(math.isfinite(norm) for _, *norms in found for norm in norms):
        raise ExperimentFailed(
            CellStatus.NON_FINITE, "A gradient is NaN or infinite; take fewer layers or smaller weights."
        )
    first, last = found[0], found[-1]
    record.signal = [one._asdict() for one in found]
    record.state_gradient_ratio = _ratio(first.state_gradient, last.state_gradient)
    record.parameter_gradient_ratio = _ratio(first.parameter_gradient, last.parameter_gradient)


def _ratio(first: float, last: float) -> float | None:
    return first / last if last > 0 else None
