"""The pre-activation residual block: y + F(y), a step of Euler's method of length 1 for y' = F(y)."""

from __future__ import annotations

from torch import Tensor, nn

from rkbench.networks.normalization import group_norm


class ResidualBlock(nn.Module):
    """Normalised, rectified, convolved 3×3, twice, added to the input (He et al. 2016, arXiv:1603.05027).

    With stride 2 the state has half the height and width, rounded up, and what it is added to is the input after its
    first normalisation and rectification, convolved 1×1. No convolution has a bias: 18 c² + 4 c parameters for c
    channels, 73 984 with 64; c² more with stride 2.

    Args:
        channels: of input and output.
        stride: of the first convolution, 1 or 2.
    """

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1, self.norm2 = group_norm(channels), group_norm(channels)
        self.shortcut = nn.Conv2d(channels, channels, 1, stride, bias=False) if stride > 1 else None
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, y: Tensor) -> Tensor:
        """Return ``[batch, channels, ⌈height / stride⌉, ⌈width / stride⌉]``; ``y`` is left alone."""
        active = self.norm1(y).relu_()  # over what a normalisation returned, which nothing else reads
        skipped = y if self.shortcut is None else self.shortcut(active)
        return self.conv2(self.norm2(self.conv1(active)).relu_()) + skipped
