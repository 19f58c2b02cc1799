"""The slides' network: the simplest neural ODE, and a linear classifier on its final state."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.networks.augment import Augment
from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver
from rkbench.twin import Twin


class TanhField(nn.Module):
    """f(t, y) = tanh(W y + b) for y ``[batch, n]``, or several such layers; n² + n parameters with one.

    tanh because it is zero-centred, smooth and bounded, so the flow exists for all time.

    Args:
        n: of the state.
        depth: layers of f.
        width: of those between; n unless given.
    """

    def __init__(self, n: int, depth: int = 1, width: int | None = None) -> None:
        super().__init__()
        sizes = [n, *[width or n] * (depth - 1), n]
        layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        self.linear, self.more = layers[0], nn.ModuleList(layers[1:])

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, shaped like ``y``."""
        k = torch.tanh(self.linear(y))
        for linear in self.more:
            k = torch.tanh(linear(k))
        return k

    def twin(self) -> Twin:
        """Return the same f in JAX, with the same weights."""
        return Twin(self, _in_jax, tuple(self.parameters()))


def _in_jax(t: Any, y: Any, *tensors: Any) -> Any:
    from jax import numpy  # pyright: ignore[reportMissingImports]

    for weight, bias in zip(tensors[::2], tensors[1::2], strict=True):
        y = numpy.tanh(y @ weight.T + bias)
    return y


def tanh_net(
    solver: Solver, n: int, classes: int, *, depth: int = 1, width: int | None = None, augment: int = 0
) -> nn.Sequential:
    """Return flatten -> ODE block over [0, 1] -> linear; n² + n + n·classes + classes parameters.

    4 810 for n = 64 and 10 classes.

    Args:
        solver: of the ODE block.
        n: of the inputs.
        classes: of the outputs.
        depth: layers of f.
        width: of those between.
        augment: zeros that the state gets besides its n numbers, which adds to n.
    """
    more, n = [Augment(augment)] if augment else [], n + augment
    block = ODEBlock(TanhField(n, depth, width), solver=solver)
    return nn.Sequential(nn.Flatten(), *more, block, nn.Linear(n, classes))
