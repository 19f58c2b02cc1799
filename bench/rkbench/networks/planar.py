"""Planar flows: densities carried by steps that are no solver's (Rezende & Mohamed 2015, arXiv:1505.05770, section 4.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


class PlanarFlow(nn.Module):
    """A density on ``n`` numbers: that of a normal one, met at the end of steps z + u tanh(w·z + b) from the data.

    Args:
        n: numbers in a sample.
        steps: how many.
    """

    def __init__(self, n: int, steps: int) -> None:
        super().__init__()
        self.u, self.w = (nn.Parameter(0.1 * torch.randn(steps, n)) for _ in range(2))
        self.b = nn.Parameter(torch.zeros(steps))

    def surprise(self, x: Tensor) -> Tensor:
        """Return the negative logarithm of the density at samples ``[batch, n]``, in nats, ``[batch]``."""
        z, growth = x, x.new_zeros(len(x))
        for u, w, b in zip(self.u, self.w, self.b, strict=True):
            # w·u > -1 keeps a step invertible (their appendix A.1).
            product = w @ u
            u = u + (softplus(product) - 1 - product) * w / (w @ w)
            bend = torch.tanh(z @ w + b)
            growth = growth + torch.log1p((1 - bend.square()) * (w @ u))
            z = z + bend[:, None] * u
        normal = z.square().sum(1) / 2 + math.log(2 * math.pi) / 2 * z.shape[1]
        return normal - growth
