"""Planar flows: densities carried by steps that are no solver's (Rezende & Mohamed 2015, arXiv:1505.05770, section 4.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from rkbench.networks.normal import normal_surprise


class PlanarFlow(nn.Module):
    """A density on ``n`` numbers: that of normal ones, met at the end of steps z + û tanh(w·z + b) from the data.

    A step can be undone while w·û > -1, so û is u with its part along w bent there (their appendix A.1). Theirs is bent by
    log(1 + exp(w·u)) - 1, which at u = 0 shrinks all it meets by a third; hundreds of such steps in a row leave nothing.
    Here it is log(1 + (e - 1) exp(w·u)) - 1, 0 at 0: small u are small steps, and the flow begins near the identity.

    Args:
        n: numbers in a sample.
        steps: how many, with 2 n + 1 parameters each.
    """

    def __init__(self, n: int, steps: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(steps, n))
        self.u = nn.Parameter(0.01 * torch.randn(steps, n))
        self.b = nn.Parameter(torch.randn(steps))

    def surprise(self, x: Tensor) -> Tensor:
        """Return the negative logarithm of the density at samples ``[batch, n]``, in nats, ``[batch]``."""
        product = (self.w * self.u).sum(1)
        least = softplus(product + math.log(math.e - 1)) - 1  # w·û, above -1
        bent = self.u + ((least - product) / self.w.square().sum(1))[:, None] * self.w
        z, bends = x, []
        for w, u, b in zip(self.w.unbind(), bent.unbind(), self.b.unbind(), strict=True):
            bends.append(torch.addmv(b, z, w).tanh())
            z = torch.addr(z, bends[-1], u)
        slopes = 1 - torch.stack(bends).square()
        return normal_surprise(z) - torch.log1p(slopes * least[:, None]).sum(0)
