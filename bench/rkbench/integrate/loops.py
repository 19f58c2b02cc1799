"""The two loops: over a grid known beforehand, and over steps chosen by their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.adaptive import adaptive_loop
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid
from rkbench.integrate.output import Outputs, checked_times
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver


def integrate(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[float],
    t_eval: Sequence[float] | None = None,
) -> Solution:
    """Run one solve; see `NativeEngine.solve`."""
    if not isinstance(y0, Tensor) or not y0.is_floating_point():
        what = y0.dtype if isinstance(y0, Tensor) else type(y0).__name__
        raise SolverError(f"y0 must be a tensor of a real floating dtype, not {what}; use y0.float(), say.")
    t0, t1, times = checked_times(t_span, t_eval)
    outputs = Outputs(t0, t1, times, y0)
    if t0 == t1:
        return Solution(times, outputs.stacked(y0), Stats(), (), t1)
    field = Field(f, y0, t0, t1)
    if solver.adaptive:
        return adaptive_loop(solver, field, y0, t0, t1, outputs)
    return fixed_loop(solver.method, field, y0, grid(solver, t0, t1), outputs)
