"""The residual networks beside the ODE-net of Chen et al. (2018): six blocks, one, or none at all.

Six blocks stand in the authors' public program (github.com/rtqichen/torchdiffeq, ``examples/odenet_mnist.py``); one and
none are the baselines that the paper left out.
"""

from __future__ import annotations

from torch import nn

from rkbench.networks.downsampling import downsample, head
from rkbench.networks.residual_block import ResidualBlock


def resnet(
    channels: int,
    classes: int,
    blocks: int = 6,
    downsampling: str = "conv",
    halvings: int = 2,
    inputs: int = 1,
) -> nn.Sequential:
    """Return convolutions down -> residual blocks -> normalise, average each channel, linear.

    Maps ``[batch, inputs, height, width]`` to logits ``[batch, classes]``. Built from one seed, the networks start with the
    same downsampling, and so does the ODE-net. Parameters with 64 channels and 10 classes:

    ====== ======= ======= =======
    blocks 0       1       6
    ====== ======= ======= =======
    conv   132 874 206 858 576 778
    res    157 578 231 562 601 482
    ====== ======= ======= =======

    Args:
        channels: of all convolutions.
        classes: of the images.
        blocks: residual blocks that keep the shape of the state.
        downsampling: "conv" or "res", see `downsample`.
        halvings: layers of stride 2; two take 28×28 to a state of 6×6 ("conv") or 7×7 ("res").
        inputs: channels of the images.

    Raises:
        UserError: there is no such downsampling.
    """
    down = downsample(downsampling, channels, halvings, inputs)
    return nn.Sequential(*down, *(ResidualBlock(channels) for _ in range(blocks)), *head(channels, classes))
