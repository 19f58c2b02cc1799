"""The slides' network: the simplest neural ODE, and a linear classifier on its final state."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver
from rkbench.twin import Twin


class TanhField(nn.Module):
    """f(t, y) = tanh(W y + b) for y ``[batch, n]``; n² + n parameters.

    tanh because it is zero-centred, smooth and bounded, so the flow exists for all time.
    """

    def __init__(self, n: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n, n)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, shaped like ``y``."""
        return torch.tanh(self.linear(y))

    def twin(self) -> Twin:
        """Return the same f in JAX, with the same weights."""
        return Twin(self, _in_jax, (self.linear.weight, self.linear.bias))


def _in_jax(t: Any, y: Any, weight: Any, bias: Any) -> Any:
    from jax import numpy  # pyright: ignore[reportMissingImports]

    return numpy.tanh(y @ weight.T + bias)


def tanh_net(solver: Solver, n: int, classes: int) -> nn.Sequential:
    """Return flatten -> ODE block over [0, 1] -> linear; n² + n + n·classes + classes parameters.

    4 810 for n = 64 and 10 classes.
    """
    return nn.Sequential(nn.Flatten(), ODEBlock(TanhField(n), solver=solver), nn.Linear(n, classes))
