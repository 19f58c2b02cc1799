"""Steps known beforehand: no error estimate, and nothing is read back from the device."""

from __future__ import annotations

import itertools

from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.output import Outputs
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.scheme import scheme as scheme_of
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver
from rkbench.tableau import ButcherTableau


def grid(solver: Solver, t0: float, t1: float) -> list[float]:
    """Return the times between the steps, t0 and t1 included: equal steps, or the prescribed ones.

    Raises:
        SolverError: prescribed steps do not lead from t0 to t1, or turn round on the way.
    """
    prescribed = solver.controller.prescribed
    if prescribed is None:
        assert solver.steps is not None
        return [t0 + i * (t1 - t0) / solver.steps for i in range(solver.steps)] + [t1]
    times = list(itertools.accumulate(prescribed, initial=t0))
    if abs(times[-1] - t1) > 1e-9 * max(abs(t1 - t0), abs(t1)):
        raise SolverError(
            f"The replayed steps lead from {t0:g} to {times[-1]:g}, not to t1 = {t1:g}; pass the steps of a solve "
            "over the same interval."
        )
    if any((h > 0) != (t1 > t0) for h in prescribed):
        raise SolverError("The replayed steps turn round on the way; pass steps that all lead towards t1.")
    return [*times[:-1], t1]


def fixed_loop(
    method: ButcherTableau, f: Field, y: Tensor, times: list[float], outputs: Outputs, road: Road = BACKPROP
) -> Solution:
    """Walk the grid. Output times between grid points are interpolated, or landed on without dense output."""
    times, scheme = landing(method, times, outputs)
    y0, k = y, {}
    steps = zip(itertools.pairwise(times), f.clock(scheme, times), strict=True)
    for (t, t_next), stage_times in steps:
        h = t_next - t
        y_new, slopes = road.step(scheme, f, stage_times, y, h, k)
        outputs.serve_inside(scheme, y, slopes, t, t_next)
        outputs.record(t_next, y_new)
        k = {0: slopes[scheme.final]} if scheme.fsal else {}
        y = y_new
    return finished(scheme, f, y0, y, times, outputs, road)


def landing(method: ButcherTableau, times: list[float], outputs: Outputs) -> tuple[list[float], Scheme]:
    """Return the grid with what output times add to it, and the scheme to walk it by."""
    times = _snapped(times, outputs.landings)
    between = set(outputs.landings) - set(times)
    dense = method.interpolation is not None and (bool(between) or outputs.scattered)
    if between and not dense:
        times = sorted({*times, *between}, reverse=times[-1] < times[0])
    return times, scheme_of(method, False, dense)


def finished(
    scheme: Scheme, f: Field, y0: Tensor, y: Tensor, times: list[float], outputs: Outputs, road: Road
) -> Solution:
    """Return the solution of a walk over ``times`` that began at ``y0`` and ended at ``y``."""
    n = len(times) - 1
    stats = Stats(
        nfe_accepted=f.calls,
        nfe_backward=road.recomputed(scheme, n) if y.requires_grad else 0,
        accepted=n,
        vjps=len(scheme.carries) * n if y.requires_grad else 0,
    )
    return Solution(
        outputs.times,
        outputs.stacked(y0),
        stats,
        tuple(b - a for a, b in itertools.pairwise(times)),
        times[-1],
        final=y.detach(),
    )


def reversed_part(times: list[float], start: float, end: float) -> list[float]:
    """Return the way from ``start`` back to ``end`` over the points of a grid that lie between them."""
    near, low, high = 1e-12 * abs(times[-1] - times[0]), min(start, end), max(start, end)
    inner = [t for t in times if low + near < t < high - near]
    return [start, *reversed(inner), end]


def _snapped(times: list[float], landings: tuple[float, ...]) -> list[float]:
    """Return the grid with each point that an output time misses by round-off, float32's too, moved onto it."""
    step = min(abs(b - a) for a, b in itertools.pairwise(times))

    def nearest(time: float) -> float:
        near = min(max(1e-6 * step, 1.2e-7 * abs(time)), step / 4)
        return next((t for t in landings if abs(t - time) <= near), time)

    return [times[0], *map(nearest, times[1:-1]), times[-1]]
