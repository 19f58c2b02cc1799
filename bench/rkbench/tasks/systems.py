"""Dynamical systems whose trajectories are to be learnt: f of a batch of states, and where they start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class System:
    """A system and a box of its states.

    Attributes:
        name: how tasks are called after it.
        f: ``f(t, y)`` with y ``[batch, n]``.
        low: the least of each component at the start of a trajectory.
        high: the greatest.
        span: how long a window of a trajectory is, in the system's time.
        windows: in a trajectory, one after the other.
        summary: its equations and where they come from.
    """

    name: str
    f: Callable[[Tensor, Tensor], Tensor]
    low: tuple[float, ...]
    high: tuple[float, ...]
    span: float
    windows: int
    summary: str


def _stacked(*parts: Tensor) -> Tensor:
    import torch

    return torch.stack(parts, 1)


def _pendulum(t: Tensor, y: Tensor) -> Tensor:
    angle, speed = y.unbind(1)
    return _stacked(speed, -angle.sin())


def van_der_pol(mu: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return y'' = mu (1 - y²) y' - y as a system of y and y'."""

    def f(t: Tensor, y: Tensor) -> Tensor:
        place, speed = y.unbind(1)
        return _stacked(speed, mu * (1 - place**2) * speed - place)

    return f


def lienard(mu: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the same equation as a system of y and w = y - y³/3 - y'/mu, whose states stay small when mu is large."""

    def f(t: Tensor, y: Tensor) -> Tensor:
        place, slow = y.unbind(1)
        return _stacked(mu * (place - place**3 / 3 - slow), place / mu)

    return f


def _lorenz(t: Tensor, y: Tensor) -> Tensor:
    x, w, z = y.unbind(1)
    return _stacked(10 * (w - x), x * (28 - z) - w, x * w - 8 / 3 * z)


PENDULUM = System("pendulum", _pendulum, (-2.0, -1.0), (2.0, 1.0), 3.0, 32, "y'' = -sin y, without friction")
OSCILLATOR = System(
    "oscillator_net",
    van_der_pol(1.0),
    (-2.0, -2.0),
    (2.0, 2.0),
    1.5,
    32,
    "y'' = (1 - y²) y' - y (van der Pol 1926)",
)
STIFF = System(
    "stiff_net", lienard(5.0), (-2.0, -1.0), (2.0, 1.0), 2.0, 32,
    "y'' = 5 (1 - y²) y' - y: slow, then sudden, in the coordinates of Liénard (van der Pol 1926)",
)  # fmt: skip
LORENZ = System(
    "lorenz_net", _lorenz, (-15.0, -15.0, 10.0), (15.0, 15.0, 40.0), 0.3, 32,
    "convection in three components (Lorenz 1963, doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2)",
)  # fmt: skip
