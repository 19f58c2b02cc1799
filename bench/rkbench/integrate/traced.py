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
from rkbench.integrate.start import SMALLEST_PROBE, TINY
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


def start(solver: Solver, f: Callable[..., Any], y0: Tensor, t0: Tensor, t1: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(t0, y0) and ``[4]``, what `first_size` wants to know; traced like `run`, and see `first_step`."""
    f0 = checked(f(t0.to(y0.dtype), y0), y0)
    with torch.no_grad():
        norm, scaling, span = NORM[solver.norm], scale(solver, y0, y0), t1 - t0
        d0, d1 = norm(single(y0) / scaling), norm(single(f0) / scaling)
        tiny = (d0 < TINY) | (d1 < TINY)
        h0 = torch.where(tiny, SMALLEST_PROBE, 0.01 * d0 / d1).double().minimum(span.abs()) * span.sign()
        f1 = f((t0 + h0).to(y0.dtype), y0 + f0 * h0)
        d2 = norm((single(f1) - single(f0)) / scaling) / h0.abs()
        return f0, torch.stack([x.double() for x in (d1, d2, h0)])
