"""Augmented states: dimensions of their own for the paths of an ODE to avoid each other in."""

from __future__ import annotations

from torch import Tensor, nn


class Augment(nn.Module):
    """Appends channels of zeros, along the axis after the batch (Dupont et al. 2019, arXiv:1904.01681).

    The flow of an ODE cannot cross itself, so that some maps of R^n are none's; with dimensions more, they are.

    Args:
        channels: how many.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[batch, n + channels, …]`` of ``[batch, n, …]``."""
        return nn.functional.pad(x, (0, 0) * (x.ndim - 2) + (0, self.channels))

    def extra_repr(self) -> str:
        """Return what ``print`` adds to the name."""
        return f"{self.channels}"
