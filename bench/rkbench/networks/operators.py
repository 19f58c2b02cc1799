"""What a layer multiplies a state by: a matrix or a convolution K, and how the product is normalised.

Both are square, so that f is shaped like the state, and know their adjoints, of which stable layers are made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, group_norm, linear


@dataclass(frozen=True)
class Dense:
    """A square matrix K on states ``[batch, channels]``."""

    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of K."""
        return (self.channels, self.channels)

    @property
    def groups(self) -> int:
        """How many groups are normalised: all channels together."""
        return 1

    def __call__(self, K: Tensor, y: Tensor) -> Tensor:
        """Return K y."""
        return linear(y, K)

    def adjoint(self, K: Tensor) -> Tensor:
        """Return Kᵀ."""
        return K.mT


@dataclass(frozen=True)
class Convolution:
    """A convolution K with zeros around, on states ``[batch, channels, height, width]``; ``size`` is odd."""

    channels: int
    size: int = 3

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of K."""
        return (self.channels, self.channels, self.size, self.size)

    @property
    def groups(self) -> int:
        """How many groups are normalised: of two channels, where their number is even."""
        return self.channels // 2 if self.channels % 2 == 0 else 1

    def __call__(self, K: Tensor, y: Tensor) -> Tensor:
        """Return K y."""
        return conv2d(y, K, padding=self.size // 2)

    def adjoint(self, K: Tensor) -> Tensor:
        """Return the kernel of Kᵀ, itself a convolution with zeros around."""
        return K.transpose(0, 1).flip(2, 3)


def tv_norm(x: Tensor, groups: int) -> Tensor:
    """Return x over its norm across channels at each place (Onken & Ruthotto 2020)."""
    return x / torch.sqrt(x.square().sum(1, keepdim=True) + 1e-4)


NORMS: dict[str, Callable[[Tensor, int], Tensor] | None] = {
    "none": None,
    "tv": tv_norm,
    "group": lambda x, groups: group_norm(x, groups),
}
"""Before scale and shift, which are part of θ; ``none`` has a shift alone."""
