"""Densities in the plane, learnt by continuous normalizing flows (Chen et al. 2018, arXiv:1806.07366, section 4).

From there: two moons and two circles, learnt by maximum likelihood, and a planar flow beside the continuous one. Theirs are
pictures, so there is no number to stand beside ours; the entropies of the densities do. Not from there: f is a perceptron and
no hypernetwork; both flows learn by the same few hundred steps of AdamW, where theirs took 10 000 of Adam, and 500 000 of
RMSprop for the planar one; and the planar flow leads from the data to normal numbers, so that a likelihood needs no inverse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rkbench.task import ModelTask, Recipe, Score

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from rkbench.model import Model
    from rkbench.networks.normal import Standardised
    from rkbench.solver import Solver

HELD_OUT = 10_000
"""Samples that a density is judged on."""

DATA_SEED = 5
"""The samples are the same for every seed, which draws weights and the order of batches."""

SCORE = Score("NLL", "nats", tight=True)


def moons(count: int, random: Generator) -> Tensor:
    """Return points ``[count, 2]`` on two half circles that reach into each other, blurred by 0.1."""
    import torch

    angle = math.pi * torch.rand(count, generator=random)
    lower = torch.arange(count) % 2 == 0
    x = torch.where(lower, 1 - angle.cos(), angle.cos())
    y = torch.where(lower, 0.5 - angle.sin(), angle.sin())
    return torch.stack((x - 0.5, y - 0.25), 1) + 0.1 * torch.randn(count, 2, generator=random)


def circles(count: int, random: Generator) -> Tensor:
    """Return points ``[count, 2]`` on circles of radius 1 and 2, blurred by 0.1."""
    import torch

    angle = 2 * math.pi * torch.rand(count, generator=random)
    radius = torch.where(torch.arange(count) % 2 == 0, 1.0, 2.0)[:, None]
    return radius * torch.stack((angle.cos(), angle.sin()), 1) + 0.1 * torch.randn(count, 2, generator=random)


def gaussians(count: int, random: Generator) -> Tensor:
    """Return points ``[count, 2]`` of eight normal distributions on a circle of radius 2, blurred by 0.2."""
    import torch

    angle = math.pi / 4 * torch.randint(8, (count,), generator=random)
    return 2 * torch.stack((angle.cos(), angle.sin()), 1) + 0.2 * torch.randn(count, 2, generator=random)


Draw = Callable[[int, "Generator"], "Tensor"]


def flow(
    solver: Solver, *, draw: Draw, samples: int = 20_000, width: int = 32, trace: str = "exact"
) -> Model:
    """Return a continuous normalizing flow, with 1250 parameters.

    Args:
        solver: how samples are carried.
        draw: the samples.
        samples: to train with.
        width: of f's two hidden layers.
        trace: ``exact``, or ``hutchinson`` for an estimate of the divergence in training.

    Raises:
        UserError: there is no such trace.
    """
    from rkbench.errors import UserError
    from rkbench.networks.field import TimeField
    from rkbench.networks.flow import TRACES, Flow

    if trace not in TRACES:
        raise UserError(f"trace must be one of {', '.join(TRACES)}, not {trace!r}.")
    return replace(_model(Flow(TimeField(2, width), 2, solver, trace), draw, samples), solver_errors=_lost)


def planar(solver: None, *, draw: Draw, samples: int = 20_000, steps: int = 250) -> Model:
    """Return a planar flow, by default with as many parameters as `flow` has."""
    from rkbench.networks.planar import PlanarFlow

    return _model(PlanarFlow(2, steps), draw, samples)


def _model(network: nn.Module, draw: Draw, samples: int) -> Model:
    import torch

    from rkbench.model import Model
    from rkbench.networks.normal import Standardised

    random, dtype = torch.Generator().manual_seed(DATA_SEED), torch.get_default_dtype()
    test, train = (draw(count, random).to(dtype) for count in (HELD_OUT, samples))
    return Model(Standardised(network, train), (train,), (test,), loss=None, errors=_errors)


def _errors(network: Standardised, batch: tuple[Tensor]) -> Tensor:
    return network.surprise(batch[0])


def _lost(network: Standardised, batch: tuple[Tensor]) -> Tensor:
    """Return how far from itself each sample comes back that the flow carries forth and back."""
    return (network.round_trip(batch[0]) - batch[0]).norm(dim=1)


class Known(NamedTuple):
    """A density that is to be learnt.

    Attributes:
        draw: returns samples of it.
        entropy: its own negative log-likelihood in the mean, in nats: no model has less, but by chance on a sample. On the
            held-out samples, over which the mean scatters by 0.01, the moons have 1.005 nats, the circles 2.003 and the
            Gaussians 1.706. Found by summing -p log p over a grid, with p in closed form for the Gaussians, by a Bessel
            function for the circles, and by quadrature over the angle for the moons, as `tests/test_density_floor.py` does.
        target: the negative log-likelihood to reach, in nats.
    """

    draw: Draw
    entropy: float
    target: float


DENSITIES = {
    "moons": Known(moons, 1.008, 1.1),
    "circles": Known(circles, 1.992, 2.3),
    "gaussians": Known(gaussians, 1.698, 1.8),
}

RECIPE = Recipe(epochs=20, batch_size=500, learning_rate=1e-2)

TASKS = [
    *(
        ModelTask(
            f"cnf_{name}", partial(flow, draw=known.draw), RECIPE, SCORE, known.target,
            summary=f"the density of two-dimensional {name}, entropy {known.entropy} nats, by a continuous normalizing flow "
            "(Chen et al. 2018)",
            subject=name,
        )
        for name, known in DENSITIES.items()
    ),
    *(
        ModelTask(
            f"planar_{name}", partial(planar, draw=known.draw), RECIPE, SCORE, known.target, solves=False,
            summary=f"the density of two-dimensional {name} by 250 planar steps (Rezende & Mohamed 2015)", subject=name,
        )
        for name, known in DENSITIES.items()
    ),
]  # fmt: skip
