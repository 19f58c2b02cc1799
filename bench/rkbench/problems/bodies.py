"""Bodies under gravity: DETEST's orbits and planets, the Pleiades, and Arenstorf's orbit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rkbench.problem import InitialValueProblem
from rkbench.problems.answers import ANSWERS, EXTRAPOLATION
from rkbench.problems.stacked import stacked

if TYPE_CHECKING:
    from torch import Tensor


def _orbit(t: Tensor, y: Tensor) -> Tensor:
    import torch

    return torch.cat((y[2:], -y[:2] / y[:2].square().sum() ** 1.5))


def _two_bodies(name: str, eccentricity: float) -> InitialValueProblem:
    y0 = (1 - eccentricity, 0.0, 0.0, math.sqrt((1 + eccentricity) / (1 - eccentricity)))
    what = f"DETEST {name[-2:].upper()}: Kepler's orbit of eccentricity {eccentricity}"
    return InitialValueProblem(name, _orbit, y0, (0.0, 20.0), ANSWERS[name], EXTRAPOLATION, what)


def _pulls(x: Tensor, masses: Tensor) -> Tensor:
    """Return Σ_k m_k (x_k - x_j) / |x_k - x_j|³ for every body j; x is ``[bodies, dimensions]``."""
    import torch

    apart = x[None] - x[:, None]
    # 1 where a body meets itself, so that 0 / 1 adds nothing.
    squares = apart.square().sum(-1) + torch.eye(len(x), dtype=x.dtype, device=x.device)
    return (apart * (masses / squares**1.5)[..., None]).sum(1)


_GRAVITY, _SUN = 2.95912208286, 1.00000597682
_PLANETS = (0.000954786104043, 0.000285583733151, 0.0000437273164546, 0.0000517759138449, 0.00000277777777778)


def _planets(t: Tensor, y: Tensor) -> Tensor:
    """Five planets seen from the sun, which they pull along."""
    import torch

    x, masses = y[:15].view(5, 3), y.new_tensor(_PLANETS)
    towards_sun = x / x.square().sum(1, keepdim=True) ** 1.5
    # The pull of the sun on planet j, and the sun's own acceleration, to which planet j adds too.
    pulls = _pulls(x, masses) - _SUN * towards_sun - (masses[:, None] * towards_sun).sum(0)
    return torch.cat((y[15:], _GRAVITY * pulls.reshape(15)))


def _pleiades(t: Tensor, y: Tensor) -> Tensor:
    """Seven stars of masses 1 to 7: abscissas, ordinates, then their velocities."""
    import torch

    x, masses = y[:14].view(2, 7).T, torch.arange(1, 8, dtype=y.dtype, device=y.device)
    return torch.cat((y[14:], _pulls(x, masses).T.reshape(14)))


_MOON = 0.012277471
_EARTH = 1 - _MOON


def _arenstorf(t: Tensor, y: Tensor) -> Tensor:
    y1, y2, v1, v2 = y
    d1 = ((y1 + _MOON) ** 2 + y2**2) ** 1.5
    d2 = ((y1 - _EARTH) ** 2 + y2**2) ** 1.5
    return stacked(
        v1,
        v2,
        y1 + 2 * v2 - _EARTH * (y1 + _MOON) / d1 - _MOON * (y1 - _EARTH) / d2,
        y2 - 2 * v1 - _EARTH * y2 / d1 - _MOON * y2 / d2,
    )


# fmt: off
DETEST_C5 = InitialValueProblem(
    "detest_c5", _planets,
    (3.42947415189, 3.35386959711, 1.35494901715, 6.64145542550, 5.97156957878, 2.18231499728,
     11.2630437207, 14.6952576794, 6.27960525067, -30.1552268759, 1.65699966404, 1.43785752721,
     -21.1238353380, 28.4465098142, 15.3882659679,
     -0.557160570446, 0.505696783289, 0.230578543901, -0.415570776342, 0.365682722812, 0.169143213293,
     -0.325325669158, 0.189706021964, 0.0877265322780, -0.0240476254170, -0.287659532608, -0.117219543175,
     -0.176860753121, -0.216393453025, -0.0148647893090),
    (0.0, 20.0), ANSWERS["detest_c5"], EXTRAPOLATION, "DETEST C5: the five outer planets",
)

PLEIADES = InitialValueProblem(
    "pleiades", _pleiades,
    (3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0, 3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 1.75, -1.5, 0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0),
    (0.0, 3.0), ANSWERS["pleiades"], EXTRAPOLATION,
    "seven stars in the plane that nearly meet (Hairer, Nørsett & Wanner I, section II.10)",
)

ARENSTORF = InitialValueProblem(
    "arenstorf", _arenstorf, (0.994, 0.0, 0.0, -2.00158510637908252240537862224),
    (0.0, 17.0652165601579625588917206249), ANSWERS["arenstorf"], EXTRAPOLATION,
    "one period around earth and moon (Hairer, Nørsett & Wanner I, section II.0)",
)
# fmt: on

ECCENTRICITIES = {"detest_d1": 0.1, "detest_d2": 0.3, "detest_d3": 0.5, "detest_d4": 0.7, "detest_d5": 0.9}

PROBLEMS = (
    DETEST_C5,
    PLEIADES,
    ARENSTORF,
    *(_two_bodies(name, eccentricity) for name, eccentricity in ECCENTRICITIES.items()),
)
