"""State, adjoint and parameter gradient as one vector, which the engine solves backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.error import Norm
from rkbench.solution import Stats


class Augmented:
    """The system (y, a, g)' = (f, -aᵀ ∂f/∂y, -aᵀ ∂f/∂θ) of Chen et al. 2018 (arXiv:1806.07366), flattened.

    Args:
        f: ``f(t, y)``.
        parameters: θ.
        y: states ``[times, *shape]``, for their shape.
        stats: where evaluations and products are counted.
    """

    def __init__(self, f: Callable[..., Any], parameters: Sequence[Tensor], y: Tensor, stats: Stats) -> None:
        self._f = f
        self._parameters = tuple(parameters)
        self._sizes = [p.numel() for p in self._parameters]
        self._shape = y.shape[1:]
        self._n = self._shape.numel()
        self._used = [False] * len(self._parameters)
        self._stats = stats

    def __call__(self, t: Tensor, v: Tensor) -> Tensor:
        """Return the derivative of ``v`` by one evaluation of f and one product."""
        y, a, _ = self.parts(v)
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            k = self._f(t, y)
        self._stats.nfe_backward += 1
        towards = (y, *self._parameters)
        products = self._products(k, towards, a) if k.requires_grad else [None] * len(towards)
        self._used = [seen or p is not None for seen, p in zip(self._used, products[1:], strict=True)]
        flat = [
            like.new_zeros(like.numel()) if p is None else p.reshape(-1)
            for p, like in zip(products, towards, strict=True)
        ]
        return torch.cat((k.detach().reshape(-1), torch.cat(flat).neg_().to(v.dtype)))

    def _products(self, k: Tensor, towards: tuple[Tensor, ...], a: Tensor) -> Sequence[Tensor | None]:
        self._stats.vjps += 1
        # The graph goes with k; but what lies before f (weights computed from other weights) is needed again.
        return torch.autograd.grad(k, towards, a, allow_unused=True, retain_graph=True)

    def join(self, y: Tensor, a: Tensor, g: Tensor) -> Tensor:
        """Return (y, a, g) as one vector."""
        return torch.cat((y.reshape(-1), a.reshape(-1), g))

    def parts(self, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return y and a in their shape, and g."""
        y, a, g = v.tensor_split((self._n, 2 * self._n))
        return y.view(self._shape), a.view(self._shape), g

    def no_gradient(self, like: Tensor) -> Tensor:
        """Return g = 0."""
        return like.new_zeros(sum(self._sizes))

    def gradients(self, g: Tensor) -> list[Tensor | None]:
        """Return ``g`` parameter by parameter; None for one that f never used, as after backprop."""
        return [
            piece.view(p.shape).to(p.dtype) if used else None
            for piece, p, used in zip(g.split(self._sizes), self._parameters, self._used, strict=True)
        ]

    def norm(self, single: Norm, seminorm: bool) -> Norm:
        """Return the largest of the norms of y, a and, unless ``seminorm``, g."""

        def largest(ratio: Tensor) -> Tensor:
            y, a, g = self.parts(ratio)
            norms = [single(y), single(a)]
            if not seminorm:
                norms.append(single(g))
            return torch.stack(norms).max()

        return largest
