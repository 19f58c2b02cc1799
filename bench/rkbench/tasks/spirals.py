"""Spirals seen at irregular times: a latent ODE against recurrent networks (Chen et al. 2018, arXiv:1806.07366, section 5).

The paper prints a "predictive RMSE" and not what it is over. Ours is the root mean square, over both coordinates, all
places asked for and all spirals held out, of the distance to the spiral itself, without noise.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rkbench.errors import UserError
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
"""Places that are observed, at most; extrapolation asks for as many again."""

DATA_SEED = 11
"""The spirals are the same for every seed, which draws weights and the order of batches."""


class Spirals(NamedTuple):
    """Spirals, each seen at times of its own; times count from the first of them.

    Attributes:
        t: when each was observed, ``[n, observed]``, rising.
        x: what was observed, noise included, ``[n, observed, 2]``.
        t_asked: when it is asked for, ``[n, asked]``, rising.
        x_asked: where it truly is then, ``[n, asked, 2]``.
    """

    t: Tensor
    x: Tensor
    t_asked: Tensor
    x_asked: Tensor


def spirals(count: int, observed: int, ask: str) -> Spirals:
    """Return spirals, every second turning the other way, each seen at ``observed`` places of a window of 100.

    "extrapolation" asks for the 100 places after the window, as the paper does; "interpolation", for the points halfway
    between each observation and the next.
    """
    import torch

    random = torch.Generator().manual_seed(DATA_SEED)
    start = torch.randint(POINTS - 2 * WINDOW, (count,), generator=random)
    order = torch.rand(count, WINDOW, generator=random).argsort(1)[:, :observed].sort(1).values
    place = start[:, None] + order
    after = start[:, None] + WINDOW + torch.arange(WINDOW)
    asked = after if ask == "extrapolation" else (place[:, 1:] + place[:, :-1]) / 2
    clockwise = (torch.arange(count) % 2 == 0)[:, None]
    noise = NOISE * torch.randn(count, observed, 2, generator=random)
    step = STOP / (POINTS - 1)
    t, t_asked = ((where - place[:, :1]) * step for where in (place, asked))
    return Spirals(t, _on(place * step, clockwise) + noise, t_asked, _on(asked * step, clockwise))


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


class _Prepared(NamedTuple):
    """Spirals, less the mean of what is observed in training and in units of its deviation.

    Attributes:
        train: tensors of the spirals to train with.
        test: of those that are held out.
        scale: the deviation.
        pace: the mean time between observations.
    """

    train: tuple[Tensor, ...]
    test: tuple[Tensor, ...]
    scale: float
    pace: float


def _prepared(count: int, observed: int, ask: str) -> _Prepared:
    if ask not in ("extrapolation", "interpolation") or not 3 <= observed <= WINDOW:
        raise UserError(
            f"Spirals cannot be asked for with ask={ask!r:.60} and observed={observed}; ask for extrapolation or "
            f"interpolation, from 3 to {WINDOW} observations."
        )
    seen = spirals(count + count // 5, observed, ask)
    known = seen.x[:count].flatten(0, 1)
    scale = float(known.std())
    seen = seen._replace(x=(seen.x - known.mean(0)) / scale, x_asked=(seen.x_asked - known.mean(0)) / scale)
    train, test = (tuple(x[part] for x in seen) for part in (slice(count), slice(count, None)))
    return _Prepared(train, test, scale, float(seen.t[:count].diff(dim=1).mean()))


def _errors(network, batch: tuple[Tensor, ...], *, scale: float) -> Tensor:
    """Return the mean square distance to the truth, per coordinate, over the places that were asked for."""
    t, x, t_asked, x_asked = batch
    return (scale * (network.foretell(_all_seen(t, x), t_asked) - x_asked)).square().flatten(1).mean(1)


def _loss(network, batch: tuple[Tensor, ...]) -> Tensor:
    """Return the loss on what was observed; what is asked for is the test's alone."""
    given = _all_seen(*batch[:2])
    return network.loss(given, given)


def _all_seen(t: Tensor, x: Tensor):
    import torch

    from rkbench.networks.observed import Observed

    return Observed(t, x, torch.ones_like(x, dtype=torch.bool))


def latent_ode(
    solver: Solver | None,
    *,
    observed: int = 50,
    ask: str = "extrapolation",
    spirals: int = 400,
    latent: int = 4,
    hidden: int = 20,
    encoder: int = 25,
) -> Model:
    """Return a latent ODE: a recurrent encoder back in time, an ODE in ``latent`` dimensions, and a decoder."""
    from rkbench.model import Model
    from rkbench.networks.latent import LatentODE

    data = _prepared(spirals, observed, ask)
    network = LatentODE(2, latent, hidden, encoder, solver, noise=NOISE / data.scale)
    return Model(network, data.train, data.test, _loss, partial(_errors, scale=data.scale))


def recurrent(
    unit: str,
    solver: None,
    *,
    observed: int = 50,
    ask: str = "extrapolation",
    spirals: int = 400,
    hidden: int = 0,
) -> Model:
    """Return a recurrent network of as many parameters as the latent ODE has, unless ``hidden`` says how wide it is."""
    from rkbench.model import Model
    from rkbench.networks.recurrent import matched

    data = _prepared(spirals, observed, ask)
    network = matched(ask, unit, 2, hidden, pace=data.pace)
    return Model(network, data.train, data.test, _loss, partial(_errors, scale=data.scale))


SCORE = Score("RMSE", root=True)
RECIPE = Recipe(epochs=100, batch_size=50, learning_rate=3e-2)

TASKS = [
    ModelTask(
        "spirals_latent_ode", latent_ode, RECIPE, SCORE, target=1.0, subject="spirals",
        summary="spirals at irregular times, foretold by a latent ODE (Chen et al. 2018)",
    ),
    ModelTask(
        "spirals_rnn", partial(recurrent, "rnn"), RECIPE, SCORE, target=1.0, subject="spirals", solves=False,
        summary="the same by a GRU that is told the time between observations",
    ),
    ModelTask(
        "spirals_gru_d", partial(recurrent, "gru_d"), RECIPE, SCORE, target=1.0, subject="spirals", solves=False,
        summary="the same by a GRU that forgets between observations (GRU-D, Che et al. 2018)",
    ),
]  # fmt: skip
