"""The vanishing gradient of the slides: plain stacks, residual ones and an ODE-net of growing depth, as initialised."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rkbench.task import SignalTask

if TYPE_CHECKING:
    from torch import nn

    from rkbench.solver import Solver

DATASETS = ("digits8", "mnist8")


def plain(
    solver: None, n: int, *, activation: str = "tanh", depth: int = 16, init: str = "torch"
) -> nn.Sequential:
    """Return layers h ← activation(W h + b)."""
    from rkbench.networks.stack import plain_stack

    return plain_stack(n, depth, activation, init)


def residual(solver: None, n: int, *, depth: int = 16, scaled: bool = False) -> nn.Sequential:
    """Return layers h ← h + tanh(W h + b), or with 1/depth of that."""
    from rkbench.networks.stack import residual_stack

    return residual_stack(n, depth, scaled=scaled)


def odenet(solver: Solver, n: int) -> nn.Sequential:
    """Return the ODE block of the slides' network."""
    from torch import nn

    from rkbench.networks.block import ODEBlock
    from rkbench.networks.tanh import TanhField

    return nn.Sequential(ODEBlock(TanhField(n), solver=solver))


class Net(NamedTuple):
    """A network, and what stands in a summary of it."""

    build: Callable[..., nn.Sequential]
    what: str
    solves: bool = False


NETS = {
    "sigmoid": Net(partial(plain, activation="sigmoid"), "layers h ← sigmoid(W h + b)"),
    "tanh": Net(partial(plain, activation="tanh"), "layers h ← tanh(W h + b)"),
    "resnet": Net(residual, "layers h ← h + tanh(W h + b)"),
    "odenet": Net(odenet, "the steps of a solve of y' = tanh(W y + b), t from 0 to 1", solves=True),
}

TASKS = [
    SignalTask(
        name=f"{dataset}_signal_{name}",
        dataset=dataset,
        network=net.build,
        solves=net.solves,
        summary=f"gradient by layer, untrained, {dataset}: {net.what}",
    )
    for dataset in DATASETS
    for name, net in NETS.items()
]
