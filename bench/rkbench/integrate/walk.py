"""From t0 to t1: over a grid known beforehand, or by steps chosen by their errors."""

from __future__ import annotations

from torch import Tensor

from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.compiled import compiled_loop
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.output import Outputs
from rkbench.integrate.per_sample import PerSampleSolve, at_rest, check_axis
from rkbench.integrate.sample import Course
from rkbench.integrate.speculative import speculative_solve
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver


def walk(
    solver: Solver, f: Field, y0: Tensor, t0: float, t1: float, times: tuple[float, ...], road: Road
) -> Solution:
    """Return the states at ``times`` between t0 and t1, which differ; see `NativeEngine.solve`."""
    if solver.control == "sample":
        courses = [Course(t0, t1, times)] * len(check_axis(y0))
        if not courses:
            return Solution(
                times, y0.new_empty((len(times), *y0.shape)), Stats(), (), t1, samples=at_rest(y0, t1)
            )
        return PerSampleSolve(solver, f, y0, courses, times, road).run()
    if solver.speculative and set(times) <= {t0, t1}:
        return speculative_solve(solver, f, y0, t0, t1, times)
    outputs = Outputs(t0, t1, times, y0)
    if solver.adaptive:
        return AdaptiveSolve(solver, f, y0, t0, t1, outputs, road).run()
    if solver.compile:
        return compiled_loop(solver, f, y0, grid(solver, t0, t1), outputs)
    return fixed_loop(solver.method, f, y0, grid(solver, t0, t1), outputs, road)
