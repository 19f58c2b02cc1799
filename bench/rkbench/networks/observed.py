"""Series of any length in one batch: what was observed when, and what of a tensor is nothing but padding."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Observed(NamedTuple):
    """Observations of a batch of series, each at times of its own.

    Attributes:
        t: when, ``[batch, times]``.
        x: what, ``[batch, times, n]``.
        seen: which of the numbers were observed, ``[batch, times, n]``; a time at which none was is padding.
    """

    t: Tensor
    x: Tensor
    seen: Tensor

    @property
    def counts(self) -> Tensor:
        """The times at which anything was observed, ``[batch]``."""
        return self.seen.any(-1).sum(1)


def packed(*parts: Observed) -> Observed:
    """Return parts as one: in each series the observations first, by time, and the padding after them.

    Padding stands at the time of the last observation, so that no solve goes beyond it. Whatever was not observed is 0,
    so that nothing depends on what stood there.
    """
    t, x, seen = (torch.cat(tensors, 1) for tensors in zip(*parts, strict=True))
    order = torch.where(seen.any(-1), t, math.inf).argsort(dim=1, stable=True)
    t, x, seen = (picked(tensor, order) for tensor in (t, x, seen))
    last = torch.where(seen.any(-1), t, -math.inf).amax(1, keepdim=True)
    return Observed(torch.where(seen.any(-1), t, last), torch.where(seen, x, 0.0), seen)


def picked(x: Tensor, places: Tensor) -> Tensor:
    """Return ``x`` ``[batch, times, …]`` at places ``[batch, wanted]`` of each series' own."""
    return x[torch.arange(len(x), device=x.device)[:, None], places]


def mean_square(off: Tensor, seen: Tensor) -> Tensor:
    """Return the mean square over what was observed of each series, ``[batch]``; 0 where nothing was."""
    squares = torch.where(seen, off, 0.0).square().flatten(1).sum(1)
    return squares / seen.flatten(1).sum(1).clamp(min=1)
