"""The MNIST networks of Chen et al. (2018), in several sizes: the ODE-net, residual networks, and a perceptron.

Their RK-Net is the ODE-net with gradient = "backprop", their ODE-Net that with "adjoint". None and one residual block are
the baselines that the paper left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from rkbench.task import Recipe, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.solver import Solver


def odenet(
    solver: Solver,
    example: Tensor,
    classes: int,
    *,
    channels: int = 64,
    halvings: int = 2,
    downsampling: str = "conv",
    augment: int = 0,
) -> nn.Module:
    """Return the network for images with as many channels as the example; their size does not matter to its weights."""
    from rkbench.networks import convolutional

    inputs = example.shape[1]
    return convolutional.odenet(solver, channels, classes, halvings, downsampling, augment, inputs)


def resnet(
    solver: None,
    example: Tensor,
    classes: int,
    *,
    channels: int = 64,
    halvings: int = 2,
    downsampling: str = "conv",
    blocks: int = 6,
) -> nn.Module:
    """Return the network for images with as many channels as the example."""
    from rkbench.networks import residual

    return residual.resnet(channels, classes, blocks, downsampling, halvings, example.shape[1])


def mlp(solver: None, example: Tensor, classes: int, *, hidden: int = 300) -> nn.Module:
    """Return the network for images of the example's size."""
    from rkbench.networks.perceptron import perceptron

    return perceptron(example[0].numel(), classes, hidden)


class Net(NamedTuple):
    """A network in any size.

    Attributes:
        build: as for `Task`.
        what: the middle of a summary.
        solves: as for `Task`.
        sized: whether it has channels.
    """

    build: Callable[..., nn.Module]
    what: str
    solves: bool = False
    sized: bool = True


NETS = {
    "mlp": Net(mlp, "one hidden layer of 300", sized=False),
    "noblock": Net(partial(resnet, blocks=0), "downsampling, then linear"),
    "resnet1": Net(partial(resnet, blocks=1), "one residual block"),
    "resnet": Net(partial(resnet, blocks=6), "six residual blocks"),
    "odenet": Net(odenet, "an ODE block", solves=True),
}


@dataclass(frozen=True)
class Size:
    """How large the networks are, and how they are trained.

    Attributes:
        summary: the end of a summary.
        dataset: of the images.
        options: of the networks.
        recipe: how they are trained.
        target: as for `Task`.
        samples: as for `Task`.
    """

    summary: str
    dataset: str
    options: dict[str, Any]
    recipe: Recipe
    target: float
    samples: int | None = None


CHEN = Recipe(
    epochs=160,
    learning_rate=0.1,
    optimizer="sgd",
    momentum=0.9,
    schedule="steps",
    milestones=(60 / 160, 100 / 160, 140 / 160),
    crop=4,
)
"""That of the authors' public program."""

SIZES = {
    "digits8": Size(
        "UCI digits 8×8, state 16×3×3", "digits8", {"channels": 16, "halvings": 1}, Recipe(10, 64, 3e-2), 0.95
    ),
    "mnist_small": Size(
        "10 000 images of MNIST, state 16×6×6, three epochs",
        "mnist",
        {"channels": 16},
        Recipe(3, 64, 3e-2),
        0.94,
        10_000,
    ),
    "mnist": Size(
        "MNIST 28×28, state 64×6×6, one epoch", "mnist", {"channels": 64}, Recipe(1, 128, 1e-2), 0.98
    ),
    "mnist_chen": Size(
        "MNIST 28×28, state 64×6×6, trained as Chen et al. do", "mnist", {"channels": 64}, CHEN, 0.995
    ),
}


def tasks(sizes: dict[str, Size]) -> list[Task]:
    """Return every network in every size; a task is named after both."""
    return [
        Task(
            name=f"{prefix}_{name}",
            dataset=size.dataset,
            network=partial(net.build, **size.options) if net.sized else net.build,
            recipe=size.recipe,
            target=size.target,
            summary=f"{size.summary}: {net.what}",
            solves=net.solves,
            samples=size.samples,
        )
        for prefix, size in sizes.items()
        for name, net in NETS.items()
    ]


TASKS = tasks(SIZES)
