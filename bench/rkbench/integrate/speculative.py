"""Take the steps of the last such solve again, all at once, and look at their errors afterwards.

Consecutive batches need nearly the same steps. So the accepted steps of one solve are tried on the next as one
graph, with one read-back for all error norms; nothing is accepted whose error is above the tolerance. When a step
is, the ordinary loop takes over from the start, and its steps are the ones to remember. It also takes over once one
step fewer would do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor

from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.error import stretched
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.graphs import LARGEST, Graphs
from rkbench.integrate.output import Outputs
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.scheme import scheme as scheme_of
from rkbench.solution import Solution, Stats
from rkbench.solver import Solver

_REMEMBERED: WeakKeyDictionary[Callable[..., Any], dict[tuple, tuple[float, ...]]] = WeakKeyDictionary()
"""f -> what is solved -> the times between the accepted steps."""


def remembered(f: Callable[..., Any]) -> dict[tuple, tuple[float, ...]]:
    """Return what the next solves of f will try.

    Returns:
        (solver, t0, t1, shape, dtype, device) -> the times between the steps.
    """
    return dict(_REMEMBERED.get(f, {}))


def remember(f: Callable[..., Any], known: dict[tuple, tuple[float, ...]]) -> None:
    """Let the next solves of f try what was `remembered` of it, in this process or another."""
    _REMEMBERED[f] = dict(known)


def speculative_solve(
    solver: Solver, f: Field, y0: Tensor, t0: float, t1: float, times: tuple[float, ...]
) -> Solution:
    """Return the solve by remembered steps if their errors allow it, else by the ordinary loop."""
    known = _REMEMBERED.setdefault(f.bare, {})
    what = (solver, t0, t1, y0.shape, y0.dtype, y0.device)
    scheme = scheme_of(solver.method, True, False)
    tried = known.pop(what, ())
    if tried:
        y, errors = _attempt(solver, scheme, f, y0, tried)
        worst = max(errors)
        if worst <= 1.0:
            if not _one_fewer_would_do(solver, worst, len(errors)):
                known[what] = tried
            return _accepted(scheme, f, y0, y, tried, times)
    wasted = f.calls
    solution = AdaptiveSolve(solver, f, y0, t0, t1, Outputs(t0, t1, times, y0), BACKPROP).run()
    solution.stats.nfe_start -= wasted
    solution.stats.nfe_rejected += wasted
    solution.stats.rejected += max(len(tried) - 1, 0)
    if solution.t_reached == t1 and len(solution.steps) * len(scheme.stages) <= LARGEST:
        known[what] = (*itertools.accumulate(solution.steps[:-1], initial=t0), t1)
    return solution


def _attempt(
    solver: Solver, scheme: Scheme, f: Field, y0: Tensor, times: tuple[float, ...]
) -> tuple[Tensor, list[float]]:
    """Return the state at t1 and the error norms of all steps; NaN counts as infinite."""
    y, _, errors = Graphs(solver, scheme, f).run(y0, None, times)
    assert errors is not None
    norms = [stretched(*row) for row in errors.tolist()]
    return y, [e if e == e else float("inf") for e in norms]


def _one_fewer_would_do(solver: Solver, worst: float, steps: int) -> bool:
    """Return whether steps N/(N - 1) times as long would still be within the safety factor of the controller."""
    k = solver.method.error_exponent
    assert k is not None
    return steps > 1 and worst * (steps / (steps - 1)) ** k < solver.controller.safety**k


def _accepted(
    scheme: Scheme, f: Field, y0: Tensor, y: Tensor, ends: tuple[float, ...], times: tuple[float, ...]
) -> Solution:
    t0, t1 = ends[0], ends[-1]
    outputs = Outputs(t0, t1, times, y0)
    outputs.record(t1, y)
    steps = tuple(b - a for a, b in itertools.pairwise(ends))
    n = len(steps)
    stats = Stats(
        nfe_accepted=f.calls,
        accepted=n,
        speculative=n,
        vjps=len(scheme.carries) * n if y.requires_grad else 0,
    )
    return Solution(times, outputs.stacked(y0), stats, steps, t1)
