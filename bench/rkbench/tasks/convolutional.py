"""The ODE-net of Chen et al. (2018) for images, at full size and small enough for a laptop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rkbench.task import Recipe, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.solver import Solver


def network(solver: Solver, example: Tensor, classes: int, *, channels: int, halvings: int) -> nn.Module:
    """Return the network for grey images ``[batch, 1, height, width]``; their size does not matter to its weights."""
    from rkbench.networks.convolutional import odenet

    return odenet(solver, channels, classes, halvings)


MNIST_ODENET = Task(
    name="mnist_odenet",
    dataset="mnist",
    network=partial(network, channels=64, halvings=2),
    recipe=Recipe(epochs=1, batch_size=128, learning_rate=1e-2),
    target=0.98,
    summary="MNIST 28×28, convolutions to a state of 64×6×6 (Chen et al. 2018), one epoch; 208 266 parameters",
)

DIGITS8_ODENET = Task(
    name="digits8_odenet",
    dataset="digits8",
    network=partial(network, channels=16, halvings=1),
    recipe=Recipe(epochs=10, batch_size=64, learning_rate=3e-2),
    target=0.95,
    summary="UCI digits 8×8, the same network with a state of 16×3×3",
)
