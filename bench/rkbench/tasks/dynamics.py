"""Dynamics learnt from trajectories: where step-size control, order and stability are what an ODE-net needs them for."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from rkbench.task import ModelTask, Recipe, Score
from rkbench.tasks.systems import LORENZ, OSCILLATOR, PENDULUM, STIFF, System

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.model import Model
    from rkbench.solver import Solver

SCORE = Score("error", root=True)
"""Root mean square over times and components, each divided by its standard deviation in the training set."""

DATA_SEED = 7
"""The trajectories are the same for every seed, which draws weights and the order of batches."""


def model(
    solver: Solver,
    *,
    system: System,
    trajectories: int = 256,
    times: int = 10,
    width: int = 32,
    depth: int = 2,
) -> Model:
    """Return a perceptron that is to be the system's f, learnt from where trajectories come by.

    Args:
        solver: how the perceptron is integrated.
        system: the system.
        trajectories: in the training set; another half as many are held out.
        times: equal intervals of the system's span at whose ends the states are known.
        width: of the perceptron.
        depth: its hidden layers.
    """
    import torch

    from rkbench.model import Model
    from rkbench.networks.rollout import Rollout, StateField

    seen = _trajectories(system, trajectories + trajectories // 2, times)
    scale = seen[:trajectories].flatten(0, 1).std(0)
    mean = seen[:trajectories].flatten(0, 1).mean(0)
    states = ((seen - mean) / scale).to(torch.get_default_dtype())
    grid = [system.span * i / times for i in range(times + 1)]
    network = Rollout(StateField(len(scale), width, depth), grid, solver)
    data = (states[:, 0], states[:, 1:])
    train, test = (tuple(x[part] for x in data) for part in (slice(trajectories), slice(trajectories, None)))
    return Model(network, train, test, _loss, _errors)


@cache
def _trajectories(system: System, count: int, times: int) -> Tensor:
    """Return states ``[count, times + 1, n]`` in float64, solved far more exactly than anything is learnt."""
    import torch

    from rkbench.interface import odeint

    low, high = torch.tensor([system.low, system.high], dtype=torch.float64)
    drawn = torch.rand(
        count, len(low), dtype=torch.float64, generator=torch.Generator().manual_seed(DATA_SEED)
    )
    t = [system.span * i / times for i in range(times + 1)]
    with torch.no_grad():
        y = odeint(system.f, low + drawn * (high - low), t, method="dop853", rtol=1e-9, atol=1e-9)
    return y.transpose(0, 1)


def _errors(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    y0, later = batch
    return (network(y0) - later).square().flatten(1).mean(1)


def _loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return _errors(network, batch).mean()


TARGETS = {PENDULUM: 0.05, OSCILLATOR: 0.05, STIFF: 0.3, LORENZ: 0.1}
"""System -> error to reach."""

TASKS = [
    ModelTask(
        name=system.name,
        model=partial(model, system=system),
        recipe=Recipe(epochs=30, batch_size=64, learning_rate=1e-2),
        score=SCORE,
        target=target,
        summary=f"a perceptron learns f from trajectories of {system.summary}",
    )
    for system, target in TARGETS.items()
]
