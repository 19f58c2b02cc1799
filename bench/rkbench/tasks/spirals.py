"""Spirals seen at irregular times: a latent ODE against recurrent networks (Chen et al. 2018, arXiv:1806.07366, section 5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rkbench.task import ModelTask, Recipe, Score

if TYPE_CHECKING:
    from torch import Tensor

    from rkbench.model import Model
    from rkbench.solver import Solver

NOISE = 0.3
"""Standard deviation of an observation."""

POINTS, STOP, GROWTH = 1000, 6 * math.pi, 0.3
"""Places on a spiral, the angle where it ends, and how its radius grows with the angle."""

WINDOW = 100
"""Places that are observed, at most; as many again are to be foretold."""

DATA_SEED = 11
"""The spirals are the same for every seed, which draws weights and the order of batches."""


class Spirals(NamedTuple):
    """Spirals, each seen at times of its own; times count from the first of them.

    Attributes:
        t: when each was observed, ``[n, observed]``, rising.
        x: what was observed, noise included, ``[n, observed, 2]``.
        t_later: when it is to be foretold, ``[n, 100]``.
        x_later: where it truly is then, ``[n, 100, 2]``.
    """

    t: Tensor
    x: Tensor
    t_later: Tensor
    x_later: Tensor


def spirals(count: int, observed: int) -> Spirals:
    """Return spirals, every second turning the other way, each seen at ``observed`` places of a window of 100."""
    import torch

    random = torch.Generator().manual_seed(DATA_SEED)
    start = torch.randint(POINTS - 2 * WINDOW, (count,), generator=random)
    order = torch.rand(count, WINDOW, generator=random).argsort(1)[:, :observed].sort(1).values
    place = start[:, None] + order
    later = start[:, None] + WINDOW + torch.arange(WINDOW)
    clockwise = (torch.arange(count) % 2 == 0)[:, None]
    noise = NOISE * torch.randn(count, observed, 2, generator=random)
    step = STOP / (POINTS - 1)
    t, t_later = ((where - place[:, :1]) * step for where in (place, later))
    return Spirals(t, _on(place * step, clockwise) + noise, t_later, _on(later * step, clockwise))


def _on(angle: Tensor, clockwise: Tensor) -> Tensor:
    """Return points of spirals ``[n, places, 2]``: one that turns clockwise winds inwards at the left, others outwards.

    The two curves, and how far apart they lie, are those of the public program of Chen et al. (2018).
    """
    import torch

    inwards = STOP + 1 - angle
    turned = torch.where(clockwise, inwards, angle)
    radius = torch.where(clockwise, 50 * GROWTH / inwards, GROWTH * angle)
    aside = torch.where(clockwise, -5.0, 5.0)
    return torch.stack((radius * turned.cos() + aside, radius * turned.sin()), -1)


def _errors(network, batch: Spirals) -> Tensor:
    """Return the mean square distance to the truth, per coordinate, over the places that were not seen."""
    t, x, t_later, x_later = batch
    return (network.foretell(t, x, t_later) - x_later).square().flatten(1).mean(1)


def _loss(network, batch: Spirals) -> Tensor:
    t, x, *_ = batch
    return network.loss(t, x)


def _model(network, spirals_in_all: int, observed: int) -> Model:
    from rkbench.model import Model

    held_out = spirals_in_all // 5
    seen = spirals(spirals_in_all + held_out, observed)
    train, test = (
        tuple(x[part] for x in seen) for part in (slice(spirals_in_all), slice(spirals_in_all, None))
    )
    return Model(network, train, test, _loss, _errors)


def latent_ode(
    solver: Solver,
    *,
    observed: int = 50,
    spirals: int = 800,
    latent: int = 4,
    hidden: int = 20,
    encoder: int = 25,
) -> Model:
    """Return a latent ODE: a recurrent encoder back in time, an ODE in ``latent`` dimensions, and a decoder."""
    from rkbench.networks.latent import LatentODE

    return _model(LatentODE(2, latent, hidden, encoder, solver, noise=NOISE), spirals, observed)


def recurrent(
    solver: None, *, observed: int = 50, spirals: int = 800, hidden: int = 25, decay: bool = False
) -> Model:
    """Return a gated recurrent network that is told how much time has passed, and may forget in it."""
    from rkbench.networks.recurrent import Recurrent

    return _model(Recurrent(2, hidden, decay=decay), spirals, observed)


SCORE = Score("RMSE", root=True)
RECIPE = Recipe(epochs=40, batch_size=100, learning_rate=1e-2)

TASKS = [
    ModelTask(
        "spirals_latent_ode", latent_ode, RECIPE, SCORE, target=0.5,
        summary="spirals at irregular times, foretold by a latent ODE (Chen et al. 2018)",
    ),
    ModelTask(
        "spirals_rnn", recurrent, RECIPE, SCORE, target=0.5, solves=False,
        summary="the same by a GRU that is told the time between observations",
    ),
]  # fmt: skip
