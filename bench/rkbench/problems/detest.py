"""DETEST: classes A to E of Hull, Enright, Fellen & Sedgwick (1972), doi:10.1137/0709052, each from t = 0 to 20.

C5 and class D are motions of bodies and stand with them in `rkbench.problems.bodies`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rkbench.problem import InitialValueProblem
from rkbench.problems.answers import ANSWERS, EXTRAPOLATION
from rkbench.problems.stacked import stacked

if TYPE_CHECKING:
    from torch import Tensor

SPAN = (0.0, 20.0)


def _torus(t: Tensor, y: Tensor) -> Tensor:
    y1, y2, y3 = y
    r = (y1**2 + y2**2).sqrt()
    return stacked(-y2 - y1 * y3 / r, y1 - y2 * y3 / r, y1 / r)


def _flowing(y: Tensor, flows: Tensor) -> Tensor:
    """Return the change of a chain in which ``flows[i]`` leaves component i for the next one."""
    import torch

    return torch.cat((-flows[:1], flows[:-1] - flows[1:], flows[-1:]))


def _decay(t: Tensor, y: Tensor) -> Tensor:
    return _flowing(y, y[:-1])


def _quickening_decay(t: Tensor, y: Tensor) -> Tensor:
    import torch

    return _flowing(y, torch.arange(1, len(y), dtype=y.dtype, device=y.device) * y[:-1])


def _diffusion(t: Tensor, y: Tensor) -> Tensor:
    """Return second differences, the state being 0 beyond both ends."""
    import torch

    padded = torch.nn.functional.pad(y, (1, 1))
    return padded[:-2] - 2 * y + padded[2:]


def _unit(n: int) -> tuple[float, ...]:
    return (1.0, *[0.0] * (n - 1))


F = Callable[["Tensor", "Tensor"], "Tensor"]
# Name: (f, y0, what it is).
_SET: dict[str, tuple[F, tuple[float, ...], str]] = {
    "a1": (lambda t, y: -y, (1.0,), "negative exponential"),
    "a2": (lambda t, y: -(y**3) / 2, (1.0,), "Riccati-like, y' = -y³ / 2"),
    "a3": (lambda t, y: y * t.cos(), (1.0,), "oscillating growth, y' = y cos t"),
    "a4": (lambda t, y: y / 4 * (1 - y / 20), (1.0,), "logistic curve"),
    "a5": (lambda t, y: (y - t) / (y + t), (4.0,), "spiral"),
    "b1": (
        lambda t, y: stacked(2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])),
        (1.0, 3.0),
        "two populations in conflict",
    ),
    "b2": (
        lambda t, y: stacked(-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]),
        (2.0, 0.0, 1.0),
        "linear chemical reaction",
    ),
    "b3": (
        lambda t, y: stacked(-y[0], y[0] - y[1] ** 2, y[1] ** 2),
        (1.0, 0.0, 0.0),
        "nonlinear chemical reaction",
    ),
    "b4": (_torus, (3.0, 0.0, 0.0), "curve on a torus"),
    "b5": (
        lambda t, y: stacked(y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]),
        (0.0, 1.0, 1.0),
        "Euler's equations of a rigid body without forces",
    ),
    "c1": (_decay, _unit(10), "radioactive decay chain of 10, equal rates"),
    "c2": (_quickening_decay, _unit(10), "radioactive decay chain of 10, rates 1 to 9"),
    "c3": (_diffusion, _unit(10), "heat equation on 10 points"),
    "c4": (_diffusion, _unit(51), "heat equation on 51 points"),
    "e1": (
        lambda t, y: stacked(y[1], -(y[1] / (t + 1) + (1 - 0.25 / (t + 1) ** 2) * y[0])),
        (0.6713967071418030, 0.09540051444747446),
        "Bessel's equation of order 1/2",
    ),
    "e2": (
        lambda t, y: stacked(y[1], (1 - y[0] ** 2) * y[1] - y[0]),
        (2.0, 0.0),
        "van der Pol's oscillator, three periods",
    ),
    "e3": (
        lambda t, y: stacked(y[1], y[0] ** 3 / 6 - y[0] + 2 * (2.78535 * t).sin()),
        (0.0, 0.0),
        "Duffing's equation, driven",
    ),
    "e4": (lambda t, y: stacked(y[1], 0.032 - 0.4 * y[1] ** 2), (30.0, 0.0), "falling body with drag"),
    "e5": (lambda t, y: stacked(y[1], (1 + y[1] ** 2).sqrt() / (25 - t)), (0.0, 0.0), "curve of pursuit"),
}

PROBLEMS = tuple(
    InitialValueProblem(
        f"detest_{name}",
        f,
        y0,
        SPAN,
        ANSWERS[f"detest_{name}"],
        EXTRAPOLATION,
        f"DETEST {name.upper()}: {what}",
    )
    for name, (f, y0, what) in _SET.items()
)
