"""Networks with time-varying controls: dense for flat inputs, convolutional for images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from rkbench.errors import SolverError
from rkbench.networks.controls import Controls, PenalisedControls
from rkbench.networks.dynamic import dynamic_block
from rkbench.networks.layers import LAYERS, Layer
from rkbench.networks.operators import Convolution, Dense
from rkbench.solver import Solver


def dense_net(
    solver: Solver, n: int, classes: int, *, layer: str = "double", controls: Mapping[str, Any] | None = None
) -> nn.Sequential:
    """Return flatten -> dynamic block in n dimensions -> linear, for inputs of n numbers.

    sets · size + n · classes + classes parameters, where `Layer` tells the size of a set.

    Args:
        solver: of the block.
        n: of the inputs.
        classes: of the outputs.
        layer: one of `LAYERS`.
        controls: options of `with_controls`.
    """
    operator = Dense(_halved(n) if layer == "hamiltonian" else n)
    block = with_controls(LAYERS[layer](operator), solver, **(controls or {}))
    return nn.Sequential(nn.Flatten(), block, nn.Linear(n, classes))


def image_net(
    solver: Solver,
    widths: Sequence[int],
    classes: int,
    *,
    layer: str = "double_sym",
    act: str = "relu",
    norm: str = "tv",
    places: int = 1,
    controls: Mapping[str, Any] | None = None,
) -> nn.Sequential:
    """Return a convolution up, dynamic blocks, each average-pooled to half the size for the next, linear on averages.

    Maps ``[batch, 1, height, width]`` to logits ``[batch, classes]``. The blocks are those of the authors' CIFAR-10
    network, whose widths are 16, 32, 64 and 64; a 1×1 convolution leads from width to width. With one block of n
    channels: 10 n parameters before it, sets · size in it, (n · places² + 1) · classes after it.

    Args:
        solver: of every block.
        widths: channels of the blocks.
        classes: of the images.
        layer: one of `LAYERS`.
        act: one of `ACTIVATIONS`.
        norm: one of `NORMS`.
        places: along each side, over which a channel is averaged apart; 1, as the authors do, is hard to train with
            so few channels as small images get.
        controls: options of `with_controls`.
    """
    parts: list[nn.Module] = [
        nn.Conv2d(1, widths[0], 3, padding=1),
        nn.Tanh() if act == "tanh" else nn.ReLU(),
    ]
    for before, width in zip((None, *widths), widths, strict=False):
        if before is not None:
            parts += [nn.AvgPool2d(2), nn.Conv2d(before, width, 1)]
        operator = Convolution(_halved(width) if layer == "hamiltonian" else width)
        parts.append(with_controls(LAYERS[layer](operator, act, norm), solver, **(controls or {})))
    head = nn.Linear(widths[-1] * places**2, classes)
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(places), nn.Flatten(), head)


def with_controls(
    layer: Layer,
    solver: Solver,
    *,
    intervals: int = 4,
    t1: float = 1.0,
    between: str = "linear",
    aligned: bool = True,
    size: float = 0.0,
    slope: float = 0.0,
) -> nn.Module:
    """Return a dynamic block over [0, t1] whose control nodes are equidistant, with random parameters.

    With ``size`` or ``slope``, the controls are `PenalisedControls`.
    """
    nodes = [t1 * i / intervals for i in range(intervals + 1)]
    costs = size or slope
    made = partial(PenalisedControls, size=size, slope=slope) if costs else Controls
    return dynamic_block(layer, made(nodes, layer.initial(), between), solver, aligned=aligned)


def _halved(channels: int) -> int:
    if channels % 2:
        raise SolverError(
            f"A Hamiltonian layer splits the channels in halves, and {channels} is odd; give an even number."
        )
    return channels // 2
