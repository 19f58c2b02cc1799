"""The native engine's front: what the registry lists. torch is imported with the first solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from rkbench.solution import Solution
    from rkbench.solver import Solver
    from rkbench.tableau import ButcherTableau


class NativeEngine:
    """rkbench's own engine: every explicit tableau, fixed and adaptive, eager or compiled.

    Stages are kept as a list and combined by fused multiply-adds with Python-float coefficients; time and
    step control are Python floats; an adaptive step reads one number back from the device, a fixed step none.
    Step-size control takes no part in the gradient.
    """

    name = "rkbench"
    differentiates_times = True
    own_spans = True

    def unsupported(self, solver: Solver) -> str | None:
        """Return why ``solver`` cannot be run, or None."""
        if solver.compile and (solver.gradient != "backprop" or solver.control != "batch"):
            return "it compiles gradient='backprop' with control='batch' only; choose these, or drop compile=True."
        return None

    def remarks(
        self, method: ButcherTableau, *, adaptive: bool, gradient: str = "backprop"
    ) -> tuple[str, ...]:
        """Return what a reader of a row should know: where reading states off the dense output costs order.

        An interpolation of order q is off by O(h^(q+1)), and so is a gradient that reads the state off it (Hairer,
        Nørsett & Wanner I, section II.6).
        """
        from rkbench.integrate.gradients.dense_output import Hermite

        own = method.interpolation is not None
        order = (method.interpolation_order if own else Hermite.order) + 1
        if gradient != "interpolated" or method.order <= order:
            return ()
        source = (
            "the method's dense output" if own else "cubic polynomials, as the method has no dense output"
        )
        return (
            f"interpolated: read off {source}, the gradient has order {order} and not that of the method",
        )

    def solve(
        self,
        solver: Solver,
        f: Callable[..., Any],
        y0: Tensor,
        t_span: Sequence[float],
        t_eval: Sequence[float] | None = None,
    ) -> Solution:
        """Integrate y' = f(t, y), y(t0) = y0 over ``t_span``.

        Args:
            solver: method, controller, tolerances or steps.
            f: ``f(t, y)`` with t a 0-dimensional tensor of y's dtype and device, ``[samples, 1, …]`` where each
                sample has its own steps; returns y's shape and dtype.
            y0: any shape, any real floating dtype, any device.
            t_span: (t0, t1); t1 may lie before t0. Tensors that require a gradient get one; of shape ``[samples]`` they
                are the span of each sample.
            t_eval: output times within ``t_span``, in its direction; likewise. Those that each sample has of its own
                cut no step: they are read off the method's dense output, or else off cubic Hermite polynomials, whose
                error is O(h⁴); where each sample has its own steps too, these land on them without dense output.

        Returns:
            The solution, whatever its status.

        Raises:
            SolverError: y0, the times or what f returns do not fit the promise above.
        """
        from rkbench.integrate.loops import integrate

        return integrate(solver, f, y0, t_span, t_eval)
