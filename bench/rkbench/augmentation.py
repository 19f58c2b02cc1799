"""Training images moved about, so that a network learns what they show and not where."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def cropped(x: Tensor, margin: int, background: float, random: torch.Generator) -> Tensor:
    """Return each image with a margin around, cut to its size again at a place of its own.

    What torchvision calls ``RandomCrop(size, padding=margin)``, for a whole batch: each image moves by up to ``margin``
    pixels either way, every place equally likely.

    Args:
        x: images ``[batch, channels, height, width]``.
        margin: pixels on each side.
        background: the value of the margin's pixels.
        random: the CPU generator that the places are drawn from.
    """
    places = torch.randint(2 * margin + 1, (2, len(x)), generator=random).to(x.device)
    height, width = x.shape[2:]
    windows = pad(x, [margin] * 4, value=background).unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(x), device=x.device), :, places[0], places[1]]


def flipped(x: Tensor, random: torch.Generator) -> Tensor:
    """Return images ``[batch, channels, height, width]``, each mirrored left to right with probability 1/2.

    Args:
        x: the images.
        random: the CPU generator that decides.
    """
    mirrored = torch.rand(len(x), generator=random).to(x.device) < 0.5
    return torch.where(mirrored[:, None, None, None], x.flip(-1), x)
