"""One step of a scheme: its stages, and the linear combinations of their slopes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rkbench.integrate.scheme import Scheme, Weights

Slopes = dict[int, Tensor]
"""Stage -> k."""


def take_step(
    scheme: Scheme,
    f: Callable[[Tensor, Tensor], Tensor],
    times: Mapping[int, Tensor],
    y: Tensor,
    h: float | Tensor,
    k: Slopes,
) -> tuple[Tensor, Slopes]:
    """Return the state after a step of size ``h`` from ``y``, and the slopes.

    ``k`` holds slopes already known (the first stage, after a rejection or from an FSAL predecessor).
    """
    k, final, y_new = dict(k), scheme.final, None
    for stage, _, weights in scheme.stages:
        if stage in k:
            continue
        at = combine(y, k, weights, h)
        if stage == final:
            y_new = at
        k[stage] = f(times[stage], at)
    return (_end(scheme, y, k, h) if y_new is None else y_new), k


def _end(scheme: Scheme, y: Tensor, k: Mapping[int, Tensor], h: float | Tensor) -> Tensor:
    """Return the state at the end of the step, of the slopes that share a weight by their sum."""
    if isinstance(h, Tensor):
        return combine(y, k, scheme.b, h)
    out = None
    for w, stages in scheme.sums:
        slope = k[stages[0]]
        for n, j in enumerate(stages[1:]):
            slope = slope.add_(k[j]) if n else slope + k[j]
        out = torch.add(y, slope, alpha=h * w) if out is None else out.add_(slope, alpha=h * w)
    return y if out is None else out


def combine(y: Tensor, k: Mapping[int, Tensor], weights: Weights, h: float | Tensor) -> Tensor:
    """Return y + h Σ w_j k_j by fused multiply-adds; in place after the first, which autograd allows.

    A 0-dimensional tensor ``h`` is one that a compiler sees: it fuses the sum by itself.
    """
    if isinstance(h, Tensor):
        return y + weighted(k, weights, h) if weights else y
    out = None
    for j, w in weights:
        out = torch.add(y, k[j], alpha=h * w) if out is None else out.add_(k[j], alpha=h * w)
    return y if out is None else out


def weighted(k: Mapping[int, Tensor], weights: Weights, h: float | Tensor) -> Tensor:
    """Return h Σ w_j k_j."""
    if isinstance(h, Tensor):
        return functools.reduce(torch.add, (k[j] * (h * w) for j, w in weights))
    (first, w), *rest = weights
    out = k[first] * (h * w)
    for j, w in rest:
        out.add_(k[j], alpha=h * w)
    return out


def interpolate(scheme: Scheme, y: Tensor, k: Mapping[int, Tensor], h: float, theta: float) -> Tensor:
    """Return the dense output y + h Σ_i b_i(θ) k_i at the fraction ``theta`` of the step."""
    at = tuple((i, sum(p * theta**power for power, p in enumerate(row, 1))) for i, row in scheme.dense)
    return combine(y, k, at, h)
