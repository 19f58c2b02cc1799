"""Densities in the plane, learnt by continuous normalizing flows (Chen et al. 2018, arXiv:1806.07366, section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rkbench.task import ModelTask, Recipe, Score

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from rkbench.model import Model
    from rkbench.solver import Solver

HELD_OUT = 10_000
"""Samples that a density is judged on."""

DATA_SEED = 5
"""The samples are the same for every seed, which draws weights and the order of batches."""

SCORE = Score("NLL", "nats")


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
    solver: Solver, *, draw: Draw, samples: int = 10_000, width: int = 32, trace: str = "exact"
) -> Model:
    """Return a continuous normalizing flow; ``trace`` is ``exact``, or ``hutchinson`` for an estimate in training."""
    from rkbench.errors import UserError
    from rkbench.networks.flow import TRACES, Flow

    if trace not in TRACES:
        raise UserError(f"trace must be one of {', '.join(TRACES)}, not {trace!r}.")
    return _model(Flow(2, width, solver, trace), draw, samples)


def planar(solver: None, *, draw: Draw, samples: int = 10_000, steps: int = 250) -> Model:
    """Return a planar flow, by default with as many parameters as `flow` has: 1250."""
    from rkbench.networks.planar import PlanarFlow

    return _model(PlanarFlow(2, steps), draw, samples)


def _model(network: nn.Module, draw: Draw, samples: int) -> Model:
    import torch

    from rkbench.model import Model

    random = torch.Generator().manual_seed(DATA_SEED)
    points = draw(samples + HELD_OUT, random).to(torch.get_default_dtype())
    return Model(network, (points[:samples],), (points[samples:],), _loss, _errors)


def _errors(network, batch: tuple[Tensor]) -> Tensor:
    return network.surprise(batch[0])


def _loss(network, batch: tuple[Tensor]) -> Tensor:
    return _errors(network, batch).mean()


TARGETS = {"moons": (moons, 1.2), "circles": (circles, 2.2), "gaussians": (gaussians, 2.6)}
"""What is drawn -> how, and the surprise to reach, in nats."""

RECIPE = Recipe(epochs=10, batch_size=500, learning_rate=1e-2)

TASKS = [
    *(
        ModelTask(
            f"cnf_{name}", partial(flow, draw=draw), RECIPE, SCORE, target,
            summary=f"the density of two-dimensional {name}, by a continuous normalizing flow (Chen et al. 2018)",
        )
        for name, (draw, target) in TARGETS.items()
    ),
    *(
        ModelTask(
            f"planar_{name}", partial(planar, draw=draw), RECIPE, SCORE, target, solves=False,
            summary=f"the same of {name} by 250 planar steps (Rezende & Mohamed 2015)",
        )
        for name, (draw, target) in TARGETS.items()
    ),
]  # fmt: skip
