"""State, adjoint and parameter gradient as one vector, which the engine solves backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.gradients.costate import Costate
from rkbench.solution import Stats


class Augmented(Costate):
    """The system (y, a, g)' = (f, -aᵀ ∂f/∂y, -aᵀ ∂f/∂θ) of Chen et al. 2018 (arXiv:1806.07366), flattened.

    Args:
        f: ``f(t, y)``.
        parameters: θ.
        y: the states at the output times, ``[times, *shape]``, where y starts anew.
        stats: where evaluations and products are counted.
    """

    def __init__(self, f: Callable[..., Any], parameters: Sequence[Tensor], y: Tensor, stats: Stats) -> None:
        super().__init__(f, parameters, y, stats)
        self._y = y

    def __call__(self, t: Tensor, v: Tensor) -> Tensor:
        """Return the derivative of ``v`` by one evaluation of f and one product."""
        k, rest = self._pulled(t, self._y_of(v), self.parts(v)[0])
        return torch.cat((k.reshape(-1), rest.to(v.dtype)))

    def at_output(self, i: int, a: Tensor, g: Tensor) -> Tensor:
        """Return the vector to start with at output ``i``."""
        return torch.cat((self._y[i].reshape(-1), a.reshape(-1), g))

    def parts(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return a in its shape, and g."""
        return super().parts(v[self._n :])

    def controlled(self, v: Tensor) -> list[Tensor]:
        """Return y and a."""
        return [self._y_of(v), *super().controlled(v)]

    def _y_of(self, v: Tensor) -> Tensor:
        return v[: self._n].view(self._shape)
