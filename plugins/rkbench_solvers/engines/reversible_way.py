"""The way there over the shears of a scheme, and the way back, which finds the states again and pulls a gradient along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rkbench import SolverError, Stats
from rkbench_solvers.engines.reversible_shears import Increment, Shear, Y


class Field:
    """f with a counter, held to its promise, on the times of one solve."""

    def __init__(self, f: Callable[..., Any], y0: Tensor, t0: float, t1: float) -> None:
        self.f = f
        self.calls = 0
        self.known: Tensor | None = None
        self._like = y0
        self._low, self._high = min(t0, t1), max(t0, t1)

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y); a slope left in ``known`` serves one call.

        Raises:
            SolverError: at the first call, when f does not return a tensor of y's shape and dtype.
        """
        if self.known is not None:
            k, self.known = self.known, None
            return k
        k = self.f(t, y)
        if self.calls == 0:
            self._check(k)
        self.calls += 1
        return k

    def times(self, values: Sequence[float]) -> tuple[Tensor, ...]:
        """Return the times as 0-dimensional tensors, none outside [t0, t1]."""
        inside = [min(max(t, self._low), self._high) for t in values]
        return torch.tensor(inside, dtype=self._like.dtype, device=self._like.device).unbind()

    def _check(self, k: Any) -> None:
        got = (tuple(k.shape), k.dtype) if isinstance(k, Tensor) else type(k).__name__
        if got != (tuple(self._like.shape), self._like.dtype):
            raise SolverError(
                f"f(t, y) returned {got} for a state of {(tuple(self._like.shape), self._like.dtype)}; return dy/dt "
                "of the same shape and dtype."
            )


@dataclass
class Way:
    """A solve under way.

    Attributes:
        f: the right-hand side.
        increment: what the shears add.
        shears: the way, in order.
        outputs: the times at which y is wanted, each once, in order, all after t0.
        advice: how a sentence that refuses the solve ends.
        stats: what the way back costs is added here.
        gap: once it was walked, the largest distance of the two states where they last stood for the same time.
    """

    f: Field
    increment: Increment
    shears: list[Shear]
    outputs: tuple[float, ...]
    advice: str
    stats: Stats = field(default_factory=Stats)
    gap: Tensor | None = None

    def there(self, y0: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return y at the output times ``[len(outputs), *shape]``, and the last pair."""
        pair, rows, meetings = [y0, y0], [], sum(shear.meets for shear in self.shears)
        for shear in self.shears:
            moved = [(shear.keep, pair[shear.target]), (shear.take, pair[1 - shear.target])]
            if shear.h:
                moved.append((shear.sign, self._increment(shear, pair[1 - shear.target])[0]))
            pair[shear.target] = _sum(moved)
            if shear.lands in self.outputs:
                rows.append(pair[Y])
            meetings -= shear.meets
            if shear.meets and not meetings and y0.numel():
                self.gap = (pair[0] - pair[1]).abs().amax()
        return torch.stack(rows) if rows else y0.new_empty((0, *y0.shape)), pair

    def back(
        self, pair: list[Tensor], parameters: Sequence[Tensor], grads: Tensor
    ) -> tuple[list[Tensor], list[Tensor | None], list[Tensor | None]]:
        """Return the pair at t0, dL/d(pair) there, and dL/dθ, from the last pair and dL/dy at the output times."""
        adjoint: list[Tensor | None] = [None, None]
        theta: list[Tensor | None] = [None] * len(parameters)
        row, before = len(self.outputs), self.f.calls
        for shear in reversed(self.shears):
            if shear.lands in self.outputs:
                row -= 1
                adjoint[Y] = plus(adjoint[Y], grads[row])
            self._undo(shear, pair, adjoint, parameters, theta)
        self.stats.nfe_backward += self.f.calls - before
        return pair, adjoint, theta

    def _undo(
        self,
        shear: Shear,
        pair: list[Tensor],
        adjoint: list[Tensor | None],
        parameters: Sequence[Tensor],
        theta: list[Tensor | None],
    ) -> None:
        """Take one shear off the pair, and pull the adjoint through it; all in place."""
        target, other = shear.target, 1 - shear.target
        above, at = adjoint[target], pair[other]
        moved = [(1.0, pair[target]), (-shear.take, at)]
        if shear.h:
            with torch.set_grad_enabled(above is not None):
                at = at.detach().requires_grad_(above is not None)
                change, products = self._increment(shear, at)
            if above is not None and change.requires_grad:
                self.stats.vjps += products
                signed = above if shear.sign > 0 else -above
                # What lies before f (weights computed from other weights) is needed again by the next shear.
                pulled = torch.autograd.grad(
                    change, (at, *parameters), signed, allow_unused=True, retain_graph=True
                )
                adjoint[other] = plus(adjoint[other], pulled[0])
                theta[:] = map(plus, theta, pulled[1:])
            moved.append((-shear.sign, change.detach()))
        # Divided, not multiplied by a rounded 1/keep, which would be off the same way in every step.
        pair[target] = _sum(moved) if shear.keep == 1 else _sum(moved) / shear.keep
        if above is not None:
            adjoint[other] = plus(adjoint[other], above * shear.take) if shear.take else adjoint[other]
            adjoint[target] = above * shear.keep

    def _increment(self, shear: Shear, x: Tensor) -> tuple[Tensor, int]:
        """Return Ψ_h(t, x), and how many products of f its gradient takes."""
        slopes: list[Tensor] = []
        times = self.f.times([shear.t + c * shear.h for c in self.increment.c])
        for t, row in zip(times, self.increment.a, strict=True):
            slopes.append(self.f(t, _sum([(1.0, x), *_weighted(row, slopes, shear.h)])))
        change = _sum(_weighted(self.increment.b, slopes, shear.h))
        return change, sum(k.requires_grad for k in slopes)


def _weighted(weights: Sequence[float], slopes: Sequence[Tensor], h: float) -> list[tuple[float, Tensor]]:
    return [(h * w, k) for w, k in zip(weights, slopes, strict=True) if w]


def _sum(terms: Sequence[tuple[float, Tensor]]) -> Tensor:
    """Return Σ factor · tensor, by fused multiply-adds; terms of factor 0 are left out."""
    (factor, first), *rest = [(factor, tensor) for factor, tensor in terms if factor]
    if not rest:
        return first * factor if factor != 1 else first
    (second_factor, second), *rest = rest
    out = torch.add(first if factor == 1 else first * factor, second, alpha=second_factor)
    for factor, tensor in rest:
        out.add_(tensor, alpha=factor)
    return out


def plus(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """Return a + b, where None is 0."""
    return a if b is None else b if a is None else a + b
