"""Engines whose steps are not a tableau's: reversible schemes, which find their states again on the way back.

They store two states whatever the number of steps, and their gradient is the exact one of the computed map, up to
the round-off that the way back magnifies. That is what ``gradient="backprop"`` promises, so that is what they accept,
though no graph is kept: every step is computed once more, with its own small graph.

What they pay for it is stability. `facts` tells the limits. A solve is refused

- when its number of steps would magnify round-off too far on the way back: known before the first step;
- when the two states that the scheme carries have parted: looked at in the first solve of an f, and before each
  gradient is handed out;
- when the way back does not lead to y(t0): looked at before each gradient is handed out.

Beyond the stability limits itself nothing is refused. An unstable mode grows from the tiny difference of the two
states, and where it has no time to grow it does no harm: h|μ| is above the limit 0.01 of a decaying mode in most
networks, which train well on ten steps. The distance of the two states is that growth, measured where it happens,
nonlinear f included; it costs no evaluation of f, only a look at one number.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rkbench import ButcherTableau, Solution, Solver
from rkbench_solvers.engines.reversible_shears import McCallumFoster, ReversibleHeun, Scheme
from rkbench_solvers.engines.reversible_stability import (
    EPS,
    RECONSTRUCTION,
    imaginary_limit,
    most_steps,
    real_limit,
    reconstruction_error,
)
from rkbench_solvers.heun import HEUN_2

if TYPE_CHECKING:
    from torch import Tensor

ELSEWHERE = "take engine='rkbench' with gradient='checkpoint'"


class ReversibleEngine(ABC):
    """Solves on equal steps by a reversible scheme; its gradient takes memory that does not grow with the steps."""

    name = ""

    @abstractmethod
    def scheme(self, method: ButcherTableau) -> Scheme | None:
        """Return the scheme that ``method`` stands for here, if it does for one."""

    @abstractmethod
    def order(self, method: ButcherTableau) -> int:
        """Return the order of the scheme, which `rkbench check` measures: its steps are not the tableau's."""

    @abstractmethod
    def _without(self, method: ButcherTableau) -> str:
        """Say why there is no scheme for ``method``."""

    def unsupported(self, solver: Solver) -> str | None:
        """Return one sentence why ``solver`` cannot be run, or None."""
        scheme = self.scheme(solver.method)
        if scheme is None:
            return self._without(solver.method)
        if solver.steps is None:
            return "it walks equal steps only; give steps=10, say."
        if solver.gradient != "backprop":
            return (
                "its gradient is the exact one of its steps, found by walking back; use gradient='backprop'."
            )
        if solver.compile:
            return "it does not compile; drop compile=True."
        if solver.control != "batch":
            return "its equal steps are those of the whole batch; use control='batch'."
        return refused_roundoff(scheme, solver.steps, EPS["float64"], "float64")

    def solve(
        self,
        solver: Solver,
        f: Callable[..., Any],
        y0: Tensor,
        t_span: Sequence[float],
        t_eval: Sequence[float] | None = None,
    ) -> Solution:
        """Integrate y' = f(t, y), y(t0) = y0 over ``t_span``; output times off the grid are landed on.

        Raises:
            SolverError: y0, the times or what f returns do not fit; the way back would go wrong, as above.
        """
        from rkbench_solvers.engines.reversible_solve import reversible_solve

        scheme = self.scheme(solver.method)
        assert scheme is not None  # or `unsupported` would have said so
        return reversible_solve(scheme, solver, f, y0, t_span, t_eval)

    def facts(self, method: ButcherTableau) -> list[tuple[str, str]]:
        """Return what `rkbench show` tells of ``method`` here: label and text."""
        scheme = self.scheme(method)
        if scheme is None:
            return []
        limits = f"stable to {real_limit(scheme):.4g} (real), {imaginary_limit(scheme):.4g} (imaginary)"
        far = reconstruction_error(scheme, 100, EPS["float32"])
        most = [most_steps(scheme, EPS[dtype]) for dtype in ("float32", "float64")]
        how_many = "any number" if min(most) > 10**6 else f"at most {most[0]} steps (float64: {most[1]})"
        return [
            (self.name, f"order {self.order(method)}; {limits}"),
            ("", f"way back: round-off {far:.1g} after 100 steps of float32; {how_many}"),
        ]


class McCallumFosterEngine(ReversibleEngine):
    """`McCallumFoster` around any tableau.

    Args:
        coupling: λ, between 0 and 1. Nearer to 1 the way back magnifies round-off less, and fewer modes are stable.
            McCallum and Foster's experiments use 0.99 and 0.999.
    """

    def __init__(self, coupling: float = 0.99) -> None:
        if not 0 < coupling < 1:
            raise ValueError(f"The coupling must lie between 0 and 1, not {coupling}; take 0.99.")
        self.coupling = coupling
        self.name = "reversible" if coupling == 0.99 else f"reversible_{coupling:g}"

    def scheme(self, method: ButcherTableau) -> Scheme:
        """Return the wrapped tableau."""
        return McCallumFoster(method, self.coupling)

    def order(self, method: ButcherTableau) -> int:
        """Return that of the tableau."""
        return method.order

    def _without(self, method: ButcherTableau) -> str:
        raise AssertionError("every tableau can be wrapped")


class ReversibleHeunEngine(ReversibleEngine):
    """`ReversibleHeun`, asked for as ``heun2``, whose step its first one is."""

    name = "reversible_heun"

    def scheme(self, method: ButcherTableau) -> Scheme | None:
        """Return the scheme, for the coefficients of Heun's method of order 2."""
        same = (method.c, method.a, method.b) == (HEUN_2.c, HEUN_2.a, HEUN_2.b)
        return ReversibleHeun() if same else None

    def order(self, method: ButcherTableau) -> int:
        """Return 2."""
        return 2

    def _without(self, method: ButcherTableau) -> str:
        return f"it is built on heun2; take method='heun2', or engine='reversible' around {method.name}."


def refused_roundoff(scheme: Scheme, steps: int, eps: float, dtype: str) -> str | None:
    """Return the sentence that refuses more steps than can be walked back, or None."""
    error = reconstruction_error(scheme, steps, eps)
    if error <= RECONSTRUCTION:
        return None
    most = most_steps(scheme, eps)
    fewer = f"take at most {most} steps, or " if most else ""
    return f"walking back over {steps} steps would magnify the round-off of {dtype} to {error:.1g}; {fewer}{ELSEWHERE}."
