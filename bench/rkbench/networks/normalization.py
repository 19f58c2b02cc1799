"""Group normalisation (Wu & He 2018, arXiv:1803.08494), with groups that stay as large in a narrow network."""

from __future__ import annotations

from torch import nn


def group_norm(channels: int) -> nn.GroupNorm:
    """Return the normalisation of ``[batch, channels, height, width]``; a scale and a shift per channel.

    torch's own, of contiguous states: on a CPU a third of the time it takes for channels_last, and what convolutions
    gain there a normalisation written for that layout eats up.
    """
    return nn.GroupNorm(groups(channels), channels)


def groups(channels: int) -> int:
    """Return how many groups are normalised: of two channels, as the 32 of 64 in Chen et al. (2018).

    Their program has min(32, channels); with fewer channels each would be alone, and lose its brightness. An odd number
    of channels is parted into the smallest equal groups that are larger.
    """
    return max(1, next((n for n in range(channels // 2, 0, -1) if channels % n == 0), 1))
