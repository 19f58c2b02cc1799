"""All that a training carries from one epoch to the next, taken down and put back bit for bit.

What a network keeps elsewhere than in parameters and buffers is not among it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rkbench.integrate.speculative import remember, remembered
from rkbench.networks.block import ODEBlock
from rkbench.saving import State

if TYPE_CHECKING:
    from rkbench.train import Training

Numbers = dict[str, Any]
Tensors = dict[str, Tensor]


def capture(training: Training) -> State:
    """Return the state between two epochs; its tensors are the training's own."""
    optimizer = training.optimizer.state_dict()
    numbers = {
        "refinements": training.refinements,
        "curve": training.curve,
        "log": asdict(training.log),
        "vjps": training.vjps,
        "compile_seconds": training.compiling.seconds,
        "groups": optimizer["param_groups"],
        "optimizer": _parts(optimizer["state"], tensors=False),
        "schedule": _moving(training.schedule),
        "steps": [_steps(block) for block in _blocks(training.network)],
    }
    tensors = dict(_weights(training.network)) | _random(training)
    for index, part in _parts(optimizer["state"], tensors=True).items():
        tensors |= {f"optimizer {index} {name}": value for name, value in part.items()}
    return State(numbers, tensors)


def restore(training: Training, state: State) -> None:
    """Put a state back into a training that was made of the same network, recipe and data.

    Raises:
        KeyError: the network has other parameters or buffers than the one whose state it was.
    """
    numbers, tensors = state
    training.refine(numbers["refinements"])
    training.curve, training.vjps = numbers["curve"], numbers["vjps"]
    for name, counts in numbers["log"].items():
        setattr(training.log, name, counts)
    training.compiling.seconds += numbers["compile_seconds"]
    with torch.no_grad():
        for name, tensor in _weights(training.network):
            tensor.copy_(tensors[name])
    training.optimizer.load_state_dict(_optimizer_state(numbers, tensors))
    training.schedule.load_state_dict(training.schedule.state_dict() | numbers["schedule"])
    for block, rows in zip(_blocks(training.network), numbers["steps"], strict=True):
        _remember(block, rows)
    training.order.set_state(tensors["order"])
    torch.set_rng_state(tensors["random"])
    if training.device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random cuda"], training.device)


def _weights(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield parameters and buffers, those too that are not to be in a ``state_dict``."""
    for kind in (network.named_parameters(), network.named_buffers()):
        for name, tensor in kind:
            yield f"network {name}", tensor


def _random(training: Training) -> Tensors:
    """Return the states of the generators: of the order of batches, and torch's."""
    states = {"order": training.order.get_state(), "random": torch.get_rng_state()}
    if training.device.type == "cuda":
        states["random cuda"] = torch.cuda.get_rng_state(training.device)
    return states


def _parts(state: dict[int, dict[str, Any]], *, tensors: bool) -> dict[str, dict[str, Any]]:
    """Return the entries of an optimizer's state that are tensors, or those that are not, parameter by parameter."""
    return {
        str(index): {name: value for name, value in part.items() if isinstance(value, Tensor) == tensors}
        for index, part in state.items()
    }


def _optimizer_state(numbers: Numbers, tensors: Tensors) -> Numbers:
    """Return what the optimizer loads."""
    state = {int(index): dict(part) for index, part in numbers["optimizer"].items()}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(" ")
        if kind == "optimizer":
            index, _, entry = rest.partition(" ")
            state[int(index)][entry] = tensor
    return {"state": state, "param_groups": [_group(group) for group in numbers["groups"]]}


def _group(group: Numbers) -> Numbers:
    """Return a group with the pairs that JSON made lists of, such as Adam's betas, as tuples again."""
    return {
        name: tuple(value) if isinstance(value, list) and name != "params" else value
        for name, value in group.items()
    }


def _moving(schedule: torch.optim.lr_scheduler.LRScheduler) -> Numbers:
    """Return what a step of the schedule changes: counts and rates; all else follows from the recipe."""
    return {
        name: value
        for name, value in schedule.state_dict().items()
        if isinstance(value, (int, float))
        or (isinstance(value, list) and all(isinstance(entry, (int, float)) for entry in value))
    }


def _blocks(network: nn.Module) -> list[ODEBlock]:
    return [module for module in network.modules() if isinstance(module, ODEBlock)]


def _steps(block: ODEBlock) -> list[list[Any]]:
    """Return the steps that speculative solves of the block's f would try next, and of which solve they are."""
    return [
        [t0, t1, list(shape), str(dtype).removeprefix("torch."), str(device), list(times)]
        for (_, t0, t1, shape, dtype, device), times in remembered(block.f).items()
    ]


def _remember(block: ODEBlock, rows: list[list[Any]]) -> None:
    known = {
        (block.solver, t0, t1, torch.Size(shape), getattr(torch, dtype), torch.device(device)): tuple(times)
        for t0, t1, shape, dtype, device, times in rows
    }
    remember(block.f, known)
