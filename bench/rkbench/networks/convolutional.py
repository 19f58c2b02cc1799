"""The ODE-net of Chen et al. (2018) for images: convolutions down to a small state, one ODE block, a linear head.

The architecture is that of the authors' public MNIST program (github.com/rtqichen/torchdiffeq,
``examples/odenet_mnist.py``); the time channel is computed otherwise, see `TimeConv`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from rkbench.networks.augment import Augment
from rkbench.networks.block import ODEBlock
from rkbench.networks.downsampling import downsample, head
from rkbench.networks.normalization import group_norm, groups
from rkbench.solver import Solver
from rkbench.twin import Twin


class TimeConv(nn.Module):
    """The 3×3 convolution of y and one more channel that is t everywhere, zeros around both.

    What that channel adds is affine in t: t times an image that is the same for every sample and flat but for its
    border. So it is convolved once instead of once per sample, and y is not copied to stand beside it. Weights, their
    order (t first) and their initial values are those of ``Conv2d(channels + 1, channels, 3, padding=1)``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels + 1, channels, 3, padding=1)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return ``[batch, channels, height, width]``, like ``y``; t has no axes, or is ``[batch, 1, 1, 1]``."""
        weight, bias = self.conv.weight, self.conv.bias
        assert bias is not None
        at_one = conv2d(y.new_ones(1, 1, *y.shape[2:]), weight[:, :1], padding=1)
        shift = torch.addcmul(bias[:, None, None], t, at_one)
        return conv2d(y, weight[:, 1:], padding=1).add_(shift)


class ConvField(nn.Module):
    """f(t, y): normalised, rectified, convolved with t, twice, and normalised; y is ``[batch, channels, height, width]``.

    The last normalisation bounds f, so the flow exists for all time. f is Lipschitz, not smooth: ReLU has a kink.
    States may be contiguous or channels_last; the slopes are what the states are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (group_norm(channels) for _ in range(3))
        self.conv1, self.conv2 = TimeConv(channels), TimeConv(channels)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, shaped like ``y``."""
        # relu_ writes over what a normalisation returned, which nothing else reads.
        y = self.conv1(t, self.norm1(y).relu_())
        return self.norm3(self.conv2(t, self.norm2(y).relu_()))

    def twin(self) -> Twin:
        """Return the same f in JAX, with the same weights."""
        layers = (self.norm1, self.conv1.conv, self.norm2, self.conv2.conv, self.norm3)
        return Twin(self, _in_jax, tuple(tensor for layer in layers for tensor in layer.parameters()))


def odenet(
    solver: Solver,
    channels: int,
    classes: int,
    halvings: int = 2,
    downsampling: str = "conv",
    augment: int = 0,
    inputs: int = 1,
) -> nn.Sequential:
    """Return convolutions down -> ODE block over [0, 1] -> normalise, average each channel, linear.

    Maps ``[batch, inputs, height, width]`` to logits ``[batch, classes]``. With 64 channels and 10 classes, 208 266 parameters
    and a state of 64×6×6 for 28×28 images; 232 970 and 64×7×7 with "res".

    Args:
        solver: of the ODE block.
        channels: of all convolutions.
        classes: of the images.
        halvings: layers with stride 2; two take 28×28 to a state of 6×6, none 8×8 to one of 6×6.
        downsampling: "conv" or "res", see `downsample`.
        augment: channels of zeros that the state gets besides.
        inputs: channels of the images.

    Raises:
        UserError: there is no such downsampling.
    """
    down = downsample(downsampling, channels, halvings, inputs)
    more = [Augment(augment)] if augment else []
    block = ODEBlock(ConvField(channels + augment), solver=solver)
    return nn.Sequential(*down, *more, block, *head(channels + augment, classes))


def _in_jax(t: Any, y: Any, *tensors: Any) -> Any:
    from jax import lax, nn, numpy  # pyright: ignore[reportMissingImports]

    scale1, shift1, weight1, bias1, scale2, shift2, weight2, bias2, scale3, shift3 = tensors

    def norm(y: Any, scale: Any, shift: Any) -> Any:
        grouped = y.reshape(y.shape[0], groups(y.shape[1]), -1)
        mean, variance = grouped.mean(-1, keepdims=True), grouped.var(-1, keepdims=True)
        y = ((grouped - mean) * lax.rsqrt(variance + 1e-5)).reshape(y.shape)
        return y * scale[:, None, None] + shift[:, None, None]

    def shifted(y: Any) -> Any:
        padded, (height, width) = numpy.pad(y, ((0, 0), (0, 0), (1, 1), (1, 1))), y.shape[2:]
        return numpy.stack(
            [padded[..., i : i + height, j : j + width] for i in range(3) for j in range(3)], 2
        )

    def conv3(y: Any, weight: Any) -> Any:
        """Return the convolution as a product of matrices: XLA's own is 12 times slower on a CPU inside a loop."""
        return numpy.einsum("bckhw,ock->bohw", shifted(y), weight.reshape(*weight.shape[:2], 9))

    def conv(y: Any, weight: Any, bias: Any) -> Any:
        at_one = conv3(numpy.ones((1, 1, *y.shape[2:]), y.dtype), weight[:, :1])
        return conv3(y, weight[:, 1:]) + t * at_one + bias[:, None, None]

    y = conv(nn.relu(norm(y, scale1, shift1)), weight1, bias1)
    return norm(conv(nn.relu(norm(y, scale2, shift2)), weight2, bias2), scale3, shift3)
