"""One spiral, y' = A y³, seen at irregular times: an ODE-net and a gated recurrent network of as many parameters.

The spiral is that of the public demonstration of Chen et al. (2018, arXiv:1806.07366).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rkbench.task import ModelTask, Recipe, Score

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from rkbench.model import Model
    from rkbench.solver import Solver

MATRIX = ((-0.1, 2.0), (-2.0, -0.1))
"""A."""

START, SPAN = (2.0, 0.0), 25.0
"""y(0), and how long the spiral is followed."""

DATA_SEED = 13
"""Times and noise are the same for every seed, which draws weights and the order of batches."""


class Windows(NamedTuple):
    """Parts of the spiral; time counts from the start of each.

    Attributes:
        start: the state there, ``[windows, 2]``.
        t: when later states are to be foretold, ``[windows, places]``, above 0 and rising.
        later: those states, ``[windows, places, 2]``.
    """

    start: Tensor
    t: Tensor
    later: Tensor


def f(t: Tensor, y: Tensor) -> Tensor:
    """Return A y³ of states ``[…, 2]``."""
    import torch

    return y**3 @ torch.tensor(MATRIX, dtype=y.dtype).T


def windows(seen: int, places: int, noise: float, random: Generator) -> Windows:
    """Return the parts that begin at each of ``seen`` times, drawn evenly from the span, and hold so many later ones."""
    import torch

    t = SPAN * torch.rand(seen, dtype=torch.float64, generator=random).sort().values
    y = _on(tuple(t.tolist()))
    y = y + noise * torch.randn(y.shape, dtype=y.dtype, generator=random)
    times = t.unfold(0, places + 1, 1)
    states = y.unfold(0, places + 1, 1).transpose(1, 2)
    return Windows(states[:, 0], times[:, 1:] - times[:, :1], states[:, 1:])


@cache
def _on(times: tuple[float, ...]) -> Tensor:
    """Return the spiral at times, ``[times, 2]`` in float64, solved far more exactly than anything is learnt."""
    import torch

    from rkbench.interface import odeint

    with torch.no_grad():
        y0 = torch.tensor([START], dtype=torch.float64)
        return odeint(f, y0, [0.0, *times], method="dop853", rtol=1e-9, atol=1e-9)[1:, 0]


def ode(
    solver: Solver,
    *,
    width: int = 94,
    observations: int = 500,
    places: int = 10,
    noise: float = 0.02,
) -> Model:
    """Return an ODE-net: a perceptron of y³ that is to be f, followed from a state to times of its own.

    Args:
        solver: how.
        width: of the perceptron, of 5 width + 2 parameters.
        observations: of the spiral, at irregular times; as many others are held out.
        places: later states that are foretold from each.
        noise: standard deviation of what is observed in training. States that are held out are the true ones.
    """
    from rkbench.networks.rollout import IrregularRollout, StateField

    field = StateField(2, width, cubed=True)
    return _model(IrregularRollout(field, solver), observations, places, noise)


def gru(
    solver: None,
    *,
    hidden: int = 10,
    observations: int = 500,
    places: int = 10,
    noise: float = 0.02,
) -> Model:
    """Return a gated recurrent network that foretells the same from the same, one state after the other.

    Args:
        solver: none.
        hidden: width of its state; 3 hidden² + 17 hidden + 2 parameters.
        observations: as for `ode`.
        places: likewise.
        noise: likewise.
    """
    from rkbench.networks.recurrent_rollout import RecurrentRollout

    return _model(RecurrentRollout(2, hidden, observations / SPAN), observations, places, noise)


def _model(network: nn.Module, observations: int, places: int, noise: float) -> Model:
    import torch

    from rkbench.errors import UserError
    from rkbench.model import Model

    if not 1 <= places < observations:
        raise UserError(
            f"{observations} observations hold no {places} places after another; give more observations than places, "
            "and places of 1 or more."
        )
    random = torch.Generator().manual_seed(DATA_SEED)
    train, test = (windows(observations, places, amount, random) for amount in (noise, 0.0))
    return Model(network, tuple(train), tuple(test), None, _errors)


def _errors(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return the mean square error of a coordinate over the places of each window."""
    start, t, later = batch
    return (network(start, t) - later).square().flatten(1).mean(1)


SCORE = Score("RMSE", root=True)

RECIPE = Recipe(epochs=60, batch_size=100, learning_rate=5e-2)
RECURRENT_RECIPE = Recipe(epochs=240, batch_size=100, learning_rate=1e-1)
"""Four times the epochs, which take as long on the clock. Each network has the best rate for it of 2e-2, 5e-2 and 1e-1."""

TARGET = 0.022
"""Reached with 6 steps of rk4 or 12 of the midpoint rule, not with 24 of Euler's method."""

TASKS = [
    ModelTask(
        "spiral", ode, RECIPE, SCORE, TARGET, subject="spiral",
        summary="y' = A y³ learnt from irregular times (Chen et al. 2018)",
    ),
    ModelTask(
        "spiral_gru", gru, RECURRENT_RECIPE, SCORE, TARGET, subject="spiral", solves=False,
        summary="the same by a gated recurrent network of as many parameters (Cho et al. 2014)",
    ),
]  # fmt: skip
