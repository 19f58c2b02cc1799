"""What the MNIST networks of Chen et al. (2018) share: images down to a small state, and from there to logits.

The architecture is that of the authors' public program (github.com/rtqichen/torchdiffeq,
``examples/odenet_mnist.py``). What stands between, an ODE block, residual blocks or nothing, is what is compared.
"""

from __future__ import annotations

from torch import nn

from rkbench.errors import UserError
from rkbench.networks.normalization import group_norm
from rkbench.networks.residual_block import ResidualBlock


def _convolution(channels: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, channels, 4, stride=2, padding=1)
    return [group_norm(channels), nn.ReLU(inplace=True), convolution]


def _residual(channels: int) -> list[nn.Module]:
    return [ResidualBlock(channels, stride=2)]


HALVINGS = {"conv": _convolution, "res": _residual}
"""How height and width are halved: by a normalised and rectified 4×4 convolution, or by a residual block."""


def downsample(kind: str, channels: int, halvings: int = 2, inputs: int = 1) -> list[nn.Module]:
    """Return the layers that take ``[batch, inputs, height, width]`` to a state of so many channels.

    A 3×3 convolution without padding first, then layers of stride 2. With two of them and 64 channels, 28×28 becomes
    64×6×6 by 132 096 parameters of "conv", or 64×7×7 by 156 800 of "res"; colour, with three inputs, takes 1152 more.

    Args:
        kind: of the layers of stride 2, one of `HALVINGS`.
        channels: of the state.
        halvings: how often height and width are halved; "conv" rounds down, "res" up.
        inputs: channels of the images: 1 for grey, 3 for colour.

    Raises:
        UserError: another kind.
    """
    if kind not in HALVINGS:
        raise UserError(f"There is no downsampling named {kind!r}; choose one of: {', '.join(HALVINGS)}.")
    layers: list[nn.Module] = [nn.Conv2d(inputs, channels, 3)]
    for _ in range(halvings):
        layers += HALVINGS[kind](channels)
    return layers


def head(channels: int, classes: int) -> list[nn.Module]:
    """Return the layers that take a state to logits ``[batch, classes]``: normalise, rectify, average, linear.

    Each channel is averaged over the image, so the state's height and width do not matter. 778 parameters with 64
    channels and 10 classes.
    """
    pooled = [group_norm(channels), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return [*pooled, nn.Linear(channels, classes)]
