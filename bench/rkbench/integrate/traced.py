"""What torch.compile sees: steps with their stages, sums and error norms, and the way to the first step.

Sizes and times are tensors, inputs of the graph, so that one graph serves every step of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rkbench.integrate.error import NORM, error_norms, scale, single
from rkbench.integrate.field import checked
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.start import FLAT, SMALLEST_PROBE, STRETCH, TINY
from rkbench.integrate.step import Slopes, take_step
from rkbench.solver import Solver


class Run(NamedTuple):
    """What a graph returns: the state after its steps, slopes of the last one, and error norms ``[steps, 1 or 2]``."""

    y: Tensor
    slopes: Slopes
    errors: Tensor | None


def run(
    solver: Solver, scheme: Scheme, f: Callable[..., Any], y: Tensor, first: Tensor | None, clock: Tensor
) -> Run:
    """Take steps from ``y``; torch.compile traces this.

    Args:
        solver: tolerances and norm.
        scheme: what a step computes.
        f: the right-hand side.
        y: the state.
        first: the slope there, if it is known.
        clock: ``[steps, stages + 1]``: the times of the stages, and the size, of each step.
    """

    def field(t: Tensor, y: Tensor) -> Tensor:
        return checked(f(t, y), y)

    k: Slopes = {} if first is None else {0: first}
    errors, slopes = [], k
    times = clock[:, :-1].to(y.dtype)
    for n in range(len(clock)):
        at = {stage: times[n, i] for i, (stage, _, _) in enumerate(scheme.stages)}
        h, before = clock[n, -1], y
        y, slopes = take_step(scheme, field, at, y, h, k)
        if scheme.error:
            errors.append(error_norms(solver, scheme, before, y, slopes, h, NORM[solver.norm]))
        k = {0: slopes[scheme.final]} if scheme.fsal else {}
    wanted = _wanted(scheme, len(clock) == 1 and first is not None)
    return Run(y, {i: slopes[i] for i in wanted}, torch.stack(errors) if errors else None)


def _wanted(scheme: Scheme, first_known: bool) -> set[int]:
    """Return the slopes that outlive a step: for the next one, for a retry, and for output times."""
    wanted = {i for i, _ in scheme.dense} | ({scheme.final} if scheme.fsal else set())
    if scheme.error and scheme.starts_at_t:
        wanted.add(0)
    return wanted - {0} if first_known else wanted


class Begun(NamedTuple):
    """What the first graph of an adaptive solve returns.

    Attributes:
        f0: the slope at t0.
        step: a step from there, by the size it found.
        known: ``[2]``: the norm of f0, and the signed size before it was cut to land.
    """

    f0: Tensor
    step: Run
    known: Tensor


def begin(
    solver: Solver, scheme: Scheme, f: Callable[..., Any], y0: Tensor, t0: Tensor, t1: Tensor, target: Tensor
) -> Begun:
    """Find the first step and try it; traced like `run`, and see `rkbench.integrate.start.first_step`.

    Args:
        solver: tolerances and norm.
        scheme: what a step computes.
        f: the right-hand side.
        y0: the state at t0.
        t0: where to start, 0-dimensional and in double precision, as are the other times.
        t1: where to end.
        target: what the first step must not pass.
    """
    f0 = checked(f(t0.to(y0.dtype), y0), y0)
    with torch.no_grad():
        norm, scaling, span = NORM[solver.norm], scale(solver, y0, y0), t1 - t0
        d0, d1 = norm(single(y0) / scaling).double(), norm(single(f0) / scaling).double()
        h0 = torch.where((d0 < TINY) | (d1 < TINY), SMALLEST_PROBE, 0.01 * d0 / d1).minimum(span.abs())
        f1 = f((t0 + h0 * span.sign()).to(y0.dtype), y0 + f0 * (h0 * span.sign()))
        d2 = norm((single(f1) - single(f0)) / scaling).double() / h0
        assert solver.method.error_exponent is not None
        steepest = torch.maximum(d1, d2)
        h1 = torch.where(
            steepest > FLAT,
            (0.01 / steepest) ** (1 / solver.method.error_exponent),
            h0.clamp(min=1e-3) * 1e-3,
        )
        h1 = torch.where(h1.isnan(), h0, h1)
        h = torch.minimum(torch.minimum(100 * h0, h1), span.abs()) * span.sign()
        remaining = target - t0
        taken = torch.where(h.abs() * (1 + STRETCH) >= remaining.abs(), remaining, h)
        low, high = torch.minimum(t0, t1), torch.maximum(t0, t1)
        times = [(t0 + c * taken).clamp(low, high) for _, c, _ in scheme.stages]
    first = f0 if scheme.starts_at_t else None
    return Begun(
        f0, run(solver, scheme, f, y0, first, torch.stack([*times, taken])[None]), torch.stack((d1, h))
    )
