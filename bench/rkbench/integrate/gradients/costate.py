"""The adjoint system: the gradient by the state, and the parameter gradient, as one vector solved back in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.error import Norm
from rkbench.solution import Stats


class Costate:
    """(a, g)' = (-aᵀ ∂f/∂y, -aᵀ ∂f/∂θ), flattened, beside a state y(t) that is known (a = dL/dy, g = dL/dθ).

    Args:
        f: ``f(t, y)``.
        parameters: θ.
        like: states ``[times, *shape]``, for their shape.
        stats: where evaluations and products are counted.
        state: t -> y(t).
    """

    def __init__(
        self,
        f: Callable[..., Any],
        parameters: Sequence[Tensor],
        like: Tensor,
        stats: Stats,
        state: Callable[[float], Tensor] | None = None,
    ) -> None:
        self._f, self._state = f, state
        self._parameters = tuple(parameters)
        self._sizes = [p.numel() for p in self._parameters]
        self._shape = like.shape[1:]
        self._n = self._shape.numel()
        self._used = [False] * len(self._parameters)
        self._stats = stats

    def __call__(self, t: Tensor, v: Tensor) -> Tensor:
        """Return the derivative of ``v`` by one evaluation of f and one product."""
        assert self._state is not None
        a, _ = self.parts(v)
        return self._pulled(t, self._state(t.item()), a)[1].to(v.dtype)

    def _pulled(self, t: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(t, y), and -aᵀ ∂f/∂(y, θ) as one vector."""
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
        return k.detach(), torch.cat(flat).neg_()

    def _products(self, k: Tensor, towards: tuple[Tensor, ...], a: Tensor) -> Sequence[Tensor | None]:
        self._stats.vjps += 1
        # The graph goes with k; but what lies before f (weights computed from other weights) is needed again.
        return torch.autograd.grad(k, towards, a, allow_unused=True, retain_graph=True)

    def at_output(self, i: int, a: Tensor, g: Tensor) -> Tensor:
        """Return the vector to start with at output ``i``."""
        return torch.cat((a.reshape(-1), g))

    def parts(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return a in its shape, and g."""
        a, g = v.tensor_split((self._n,))
        return a.view(self._shape), g

    def controlled(self, v: Tensor) -> list[Tensor]:
        """Return the parts of ``v`` whose errors choose the steps, besides g."""
        return [self.parts(v)[0]]

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
        """Return the largest of the norms of the parts, that of g among them unless ``seminorm``."""

        def largest(ratio: Tensor) -> Tensor:
            g = [] if seminorm else [self.parts(ratio)[1]]
            return torch.stack([single(part) for part in (*self.controlled(ratio), *g)]).max()

        return largest
