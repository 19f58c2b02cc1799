"""Reversible schemes as data: a step is a few shears of a pair of states, and a shear can be undone.

Both schemes carry two approximations y and z of one solution, equal at t0. A shear replaces one of them by

    target <- keep · target + take · other + sign · Ψ_h(t, other),

where Ψ_h(t, x) is the increment of a Runge–Kutta step of size h from (t, x). The other stays as it is, so that the
same increment can be computed again and taken off. h may be negative, and 0 means that there is no increment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from rkbench import ButcherTableau
from rkbench_solvers.euler import EULER

Y, Z = 0, 1
"""Places in the pair; outputs are read from y."""


@dataclass(frozen=True)
class Shear:
    """One move of the pair, as above.

    Attributes:
        target: which of the pair moves.
        keep: the factor of the target, not 0.
        take: the factor of the other.
        t: where the increment starts.
        h: its signed step size; 0 for none.
        sign: its factor.
        lands: the time that y stands for afterwards, where it stands for one.
        meets: whether y and z stand for the same time afterwards.
        for_output: whether the increment is computed only because an output was asked for.
    """

    target: int
    keep: float
    take: float
    t: float
    h: float = 0.0
    sign: float = 1.0
    lands: float | None = None
    meets: bool = False
    for_output: bool = False


class Scheme(Protocol):
    """A reversible scheme around a tableau."""

    @property
    def base(self) -> ButcherTableau:
        """The tableau whose increments it takes."""
        ...

    def shears(self, times: Sequence[float], stops: Collection[float]) -> list[Shear]:
        """Return the way over the grid ``times``; y lands on ``stops``, which are part of it, and at the end."""
        ...

    def period(self, h: float) -> list[Shear]:
        """Return the shears that one of many steps of size ``h`` consists of."""
        ...


@dataclass(frozen=True)
class McCallumFoster:
    """Any tableau made reversible, of the same order (McCallum & Foster 2024, arXiv:2410.11648).

        y' = λ y + (1 - λ) z + Ψ_h(t, z)
        z' = z - Ψ_-h(t + h, y')

    The last z' is never used, so N steps take 2N - 1 increments, and a single step is that of the tableau.
    """

    base: ButcherTableau
    coupling: float

    def shears(self, times: Sequence[float], stops: Collection[float]) -> list[Shear]:
        """See `Scheme`."""
        return [shear for t, t_next in pairwise(times) for shear in self._step(t, t_next)][:-1]

    def period(self, h: float) -> list[Shear]:
        """See `Scheme`."""
        return self._step(0.0, h)

    def _step(self, t: float, t_next: float) -> list[Shear]:
        h = t_next - t
        return [
            Shear(Y, self.coupling, 1 - self.coupling, t, h, lands=t_next),
            Shear(Z, 1.0, 0.0, t_next, -h, sign=-1.0, meets=True),
        ]


@dataclass(frozen=True)
class ReversibleHeun:
    """Heun's method of order 2 made reversible (Kidger, Foster, Li & Lyons 2021, arXiv:2105.13493).

        z' = 2y - z + h f(t, z)
        y' = y + h/2 (f(t, z) + f(t + h, z'))

    Taken apart: a half kick y + h/2 f(t, z), the reflection z' = 2y - z, and another half kick. Half kicks that
    meet are one, so N steps take N + 1 evaluations; an output between them parts them, for one evaluation more.
    """

    base: ButcherTableau = EULER

    def shears(self, times: Sequence[float], stops: Collection[float]) -> list[Shear]:
        """See `Scheme`."""
        way = [self._kick(times[0], times[1] - times[0])]
        for before, t, after in zip(times, times[1:], times[2:], strict=False):
            way.append(self._reflection(t))
            if t in stops:
                way += [self._kick(t, t - before, lands=t), self._kick(t, after - t, for_output=True)]
            else:
                way.append(self._kick(t, after - before))
        t_last, t1 = times[-2:]
        return [*way, self._reflection(t1), self._kick(t1, t1 - t_last, lands=t1)]

    def period(self, h: float) -> list[Shear]:
        """See `Scheme`."""
        return self.shears((0.0, h), ())

    def _kick(self, t: float, h: float, lands: float | None = None, for_output: bool = False) -> Shear:
        meets = lands is not None
        return Shear(Y, 1.0, 0.0, t, h / 2, lands=lands, meets=meets, for_output=for_output)

    def _reflection(self, t: float) -> Shear:
        return Shear(Z, -1.0, 2.0, t)


@dataclass(frozen=True)
class Increment:
    """The stages that an increment is made of: floats, without those that nothing needs.

    Attributes:
        c: the nodes.
        a: per stage, the weights of the earlier slopes.
        b: the weights of the slopes.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]

    @property
    def starts_at_t(self) -> bool:
        """Whether the first slope is f(t, x)."""
        return self.c[0] == 0


@lru_cache(maxsize=256)
def increment_of(base: ButcherTableau) -> Increment:
    """Return the increment of a tableau."""
    needed = {i for i, weight in enumerate(base.b) if weight}
    for i in reversed(range(base.stages)):
        if i in needed:
            needed |= {j for j, weight in enumerate(base.a[i]) if weight}
    used = sorted(needed)
    return Increment(
        c=tuple(float(base.c[i]) for i in used),
        a=tuple(tuple(float(base.a[i][j]) for j in used if j < i) for i in used),
        b=tuple(float(base.b[i]) for i in used),
    )
