"""Dynamics learnt from trajectories: where step-size control, order and stability are what an ODE-net needs them for."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from rkbench.task import ModelTask, Recipe, Score
from rkbench.tasks.systems import LORENZ, OSCILLATOR, PENDULUM, STIFF, System

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.model import Data, Model
    from rkbench.solver import Solver

SCORE = Score("error", root=True)
"""Root mean square over times and components, each divided by its standard deviation in the training set."""

DATA_SEED = 7
"""The trajectories are the same for every seed, which draws weights and the order of batches."""

PLACES, KNOWN = 12, 3
"""Equal parts of a window at whose ends states are at hand, and equal parts of it at whose ends a network sees them.

Three divides the steps that methods of one, two or four stages are given for 12, 24 or 48 evaluations of f, so that no step
is cut to meet a known state.
"""


def model(
    solver: Solver,
    *,
    system: System,
    trajectories: int = 96,
    irregular: bool = False,
    width: int = 32,
    depth: int = 2,
) -> Model:
    """Return a perceptron that is to be the system's f, learnt from windows of trajectories.

    A window is followed from its first state to the next ones. Windows are short, since the gradient of a long solve
    leads nowhere: multiple shooting, with states that are known where the next window begins.

    Args:
        solver: how the perceptron is integrated.
        system: the system.
        trajectories: in the training set; another half as many are held out.
        irregular: whether a window has one later state, after a time of its own, instead of three at equal times. A
            method that takes equal steps then takes steps of another size in each window, and can no longer make up
            for its error by another f.
        width: of the perceptron.
        depth: its hidden layers.
    """
    import torch

    from rkbench.model import Model
    from rkbench.networks.rollout import IrregularRollout, Rollout, StateField

    seen = _windows(system, trajectories + trajectories // 2)
    parts = (slice(trajectories * system.windows), slice(trajectories * system.windows, None))
    mean, scale = (of(seen[parts[0]].flatten(0, 1), 0) for of in (torch.mean, torch.std))
    field = StateField(len(scale), width, depth)
    times = [system.span * i / KNOWN for i in range(KNOWN + 1)]
    network = IrregularRollout(field, solver) if irregular else Rollout(field, times, solver)
    states = (seen - mean) / scale
    data = _irregular(states, system.span) if irregular else _regular(states)
    train, test = (tuple(x[part] for x in data) for part in parts)
    return Model(network, train, test, None, _errors)


@cache
def _windows(system: System, trajectories: int) -> Tensor:
    """Return states ``[windows, PLACES + 1, n]`` in float64, solved far more exactly than anything is learnt."""
    import torch

    from rkbench.interface import odeint

    random = torch.Generator().manual_seed(DATA_SEED)
    low, high = torch.tensor([system.low, system.high], dtype=torch.float64)
    drawn = torch.rand(trajectories, len(low), dtype=torch.float64, generator=random)
    t = [system.span * i / PLACES for i in range(system.windows * PLACES + 1)]
    with torch.no_grad():
        y = odeint(system.f, low + drawn * (high - low), t, method="dop853", rtol=1e-9, atol=1e-9)
    return y.unfold(0, PLACES + 1, PLACES).permute(1, 0, 3, 2).flatten(0, 1)


def _regular(windows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first state of each window, and the later ones at equal times."""
    step = PLACES // KNOWN
    return windows[:, 0], windows[:, step::step]


def _irregular(windows: Tensor, span: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the first state of each window, a time of its own ``[windows, 1]``, and the state then."""
    import torch

    random = torch.Generator().manual_seed(DATA_SEED)
    place = torch.randint(1, PLACES + 1, (len(windows),), generator=random)
    later = windows[torch.arange(len(windows)), place]
    return windows[:, 0], span * place[:, None] / PLACES, later[:, None]


def _errors(network: nn.Module, batch: Data) -> Tensor:
    """Return the mean square error over the later states of each window, given its first and perhaps times."""
    *given, later = batch
    return (network(*given) - later).square().flatten(1).mean(1)


TARGETS = {PENDULUM: 0.02, OSCILLATOR: 0.03, STIFF: 0.05, LORENZ: 0.05}
"""System -> error to reach."""

TASKS = [
    ModelTask(
        name=system.name,
        model=partial(model, system=system),
        recipe=Recipe(epochs=40, batch_size=128, learning_rate=4e-2),
        score=SCORE,
        target=target,
        subject=system.name,
        summary=f"a perceptron learns f from trajectories of {system.summary}",
    )
    for system, target in TARGETS.items()
]
