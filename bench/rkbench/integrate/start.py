"""The first step of an adaptive solve (Hairer, Nørsett & Wanner I, section II.4, "starting step size")."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from rkbench.integrate.error import Norm, scale, single
from rkbench.solver import Solver

TINY, SMALLEST_PROBE = 1e-5, 1e-6
"""Norms below the first say nothing about a scale; the probe then has the second as its size."""

FLAT = 1e-15
"""Where slope and second derivative are below this, they ask for no size at all."""

STRETCH = 1e-10
"""A step that would end this close to its target, relative to its size, is stretched to land on it."""


@torch.no_grad()
def first_step(
    solver: Solver,
    norm: Norm,
    f: Callable[[float, Tensor], Tensor],
    t0: float,
    t1: float,
    y0: Tensor,
    f0: Tensor,
) -> float:
    """Return a signed first step: an Euler step whose second derivative would err by about 1 % of the tolerance.

    Costs one evaluation of f at a probe inside the interval, and two read-backs. NaN when f0 is not finite.
    """
    k = solver.method.error_exponent
    assert k is not None
    scaling = scale(solver, y0, y0)
    sizes = torch.stack((norm(single(y0) / scaling), norm(single(f0) / scaling)))
    d0, d1 = sizes.tolist()
    if not math.isfinite(d1):
        return math.nan
    h0 = probe_size(d0, d1, t1 - t0)
    f1 = f(t0 + h0, torch.add(y0, f0, alpha=h0))
    d2 = norm((single(f1) - single(f0)) / scaling).item() / abs(h0)
    return first_size(k, d1, d2, h0, t1 - t0)


def probe_size(d0: float, d1: float, span: float) -> float:
    """Return the signed Euler step to where the second derivative is probed, from the norms of y0 and f0."""
    h0 = SMALLEST_PROBE if d0 < TINY or d1 < TINY else 0.01 * d0 / d1
    return math.copysign(min(h0, abs(span)), span)


def first_size(k: int, d1: float, d2: float, h0: float, span: float) -> float:
    """Return the signed first step, from the norms of f0 and of the second derivative found by the probe ``h0``."""
    steepest = max(d1, d2)
    h1 = (0.01 / steepest) ** (1 / k) if steepest > FLAT else max(1e-6, 1e-3 * abs(h0))
    if math.isnan(h1):  # the probe failed: start as small as it was
        h1 = abs(h0)
    return math.copysign(min(100 * abs(h0), h1, abs(span)), span)
