"""One solve by a reversible scheme: its times, its first evaluation, and whether a gradient is to come."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from rkbench import NativeEngine, Solution, Solver, SolverError, parameters_of
from rkbench_solvers.engines.reversible import ELSEWHERE, refused_roundoff
from rkbench_solvers.engines.reversible_function import Reversed, refuse_if_parted
from rkbench_solvers.engines.reversible_shears import Scheme, Y, increment_of
from rkbench_solvers.engines.reversible_way import Field, Way

_LOOKED_AT: WeakKeyDictionary[Any, set] = WeakKeyDictionary()
"""f -> the solves of it that were looked at once."""


def reversible_solve(
    scheme: Scheme,
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[float],
    t_eval: Sequence[float] | None,
) -> Solution:
    """Run one solve; see `ReversibleEngine.solve`."""
    t0, t1, wanted = checked_times(t_span, t_eval)
    if t0 == t1 or not isinstance(y0, Tensor) or not y0.is_floating_point():
        return NativeEngine().solve(solver, f, y0, t_span, t_eval)  # nothing to solve, or nothing that can be
    times = grid(t0, t1, solver.steps or 1, wanted)
    outputs = tuple(t for t in dict.fromkeys(wanted) if t != t0)
    advice = f"see the limits in `rkbench show {solver.method.name}`, or {ELSEWHERE}."
    shears = scheme.shears(times, outputs)
    way = Way(Field(f, y0, t0, t1), increment_of(scheme.base), shears, outputs, advice)
    rows, y1 = _walked(scheme, way, y0, len(times) - 1)
    _count(way, steps=len(times) - 1)
    _look_once(way, f, (scheme, solver.steps, t0, t1), y0, y1)
    return Solution(
        wanted,
        _arranged(rows, y0, wanted, outputs),
        way.stats,
        tuple(b - a for a, b in pairwise(times)),
        t1,
        final=y1.detach(),
    )


def checked_times(
    t_span: Sequence[float], t_eval: Sequence[float] | None
) -> tuple[float, float, tuple[float, ...]]:
    """Return t0, t1 and the output times: those of ``t_eval``, or t0 and t1.

    Raises:
        SolverError: a time is not finite, lies outside the span, or goes against its direction.
    """
    if len(t_span) != 2:
        raise SolverError(f"t_span has {len(t_span)} times; give (t0, t1), and output times as t_eval.")
    t0, t1 = map(float, t_span)
    wanted = (t0, t1) if t_eval is None else tuple(map(float, t_eval))
    route = [t0, *wanted, t1]
    if sorted(route, reverse=t1 < t0) != route or not all(map(math.isfinite, route)):
        raise SolverError(
            f"The times must be finite and run from t0 = {t0:g} to t1 = {t1:g}; sort, cut or mend t_eval."
        )
    return t0, t1, wanted


def grid(t0: float, t1: float, steps: int, landings: Collection[float]) -> list[float]:
    """Return the times between equal steps, with the landings among them.

    A time that a landing misses by round-off, float32's too, is moved onto it.
    """
    h = (t1 - t0) / steps
    equal = (t0 + i * h for i in range(1, steps))

    def missed(t: float) -> bool:
        near = min(max(1e-6 * abs(h), 1.2e-7 * abs(t)), abs(h) / 4)
        return any(abs(t - landing) <= near for landing in landings)

    return sorted({t0, t1, *landings, *(t for t in equal if not missed(t))}, reverse=t1 < t0)


def _walked(scheme: Scheme, way: Way, y0: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Return y at the output times and at t1; on a graph of one node where a gradient is to come.

    Raises:
        SolverError: round-off would spoil the way back; or f draws random numbers, so that it would meet another f.
    """
    if not torch.is_grad_enabled():
        return _plainly(way, y0)
    before = _random_state(y0)
    parameters = _opened(way, y0)
    if not (y0.requires_grad or parameters):
        return _plainly(way, y0)
    reason = refused_roundoff(scheme, steps, torch.finfo(y0.dtype).eps, str(y0.dtype).removeprefix("torch."))
    if reason:
        raise SolverError(f"No gradient of {steps} reversible steps: {reason}")
    rows, y1 = Reversed.apply(way, y0, *parameters)
    if not torch.equal(before, _random_state(y0)):
        raise SolverError(
            "f draws random numbers (dropout, say), so that the way back would meet another f; call f.eval(), or "
            f"{ELSEWHERE}, which draws them again."
        )
    return rows, y1


def _plainly(way: Way, y0: Tensor) -> tuple[Tensor, Tensor]:
    rows, pair = way.there(y0)
    return rows, pair[Y]


def _opened(way: Way, y0: Tensor) -> tuple[Tensor, ...]:
    """Return the parameters that f(t0, y0) shows; that slope opens the way, where its increments begin so."""
    with torch.enable_grad():
        slope = way.f(way.f.times([way.shears[0].t])[0], y0.detach())
    if way.increment.starts_at_t:
        way.f.known = slope.detach()
    else:
        way.stats.nfe_start = 1
    return parameters_of(way.f.f, slope)


def _random_state(y: Tensor) -> Tensor:
    return torch.cuda.get_rng_state(y.device) if y.is_cuda else torch.get_rng_state()


def _count(way: Way, steps: int) -> None:
    """Note what the way there cost."""
    stats = way.stats
    stats.nfe_output = len(way.increment.c) * sum(shear.for_output for shear in way.shears)
    stats.nfe_accepted = way.f.calls - stats.nfe_start - stats.nfe_output
    stats.accepted = steps


def _look_once(way: Way, f: Callable[..., Any], case: tuple, y0: Tensor, y1: Tensor) -> None:
    """Refuse the first of many like solves whose two states have parted."""
    try:
        seen = _LOOKED_AT.setdefault(f, set())
    except TypeError:  # f cannot be remembered
        seen = set()
    if case not in seen:
        refuse_if_parted(way, y0, y1)
        seen.add(case)


def _arranged(rows: Tensor, y0: Tensor, wanted: tuple[float, ...], outputs: tuple[float, ...]) -> Tensor:
    """Return y at the times wanted, from y at those after t0, each given once."""
    if wanted == outputs:
        return rows
    states = dict(zip(outputs, rows, strict=True))
    return torch.stack([states.get(t, y0) for t in wanted])
