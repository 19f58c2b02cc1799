"""The density that flows lead to, that of independent standard normal numbers, and data brought to its size."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn


def normal_surprise(z: Tensor) -> Tensor:
    """Return the negative logarithm of the standard normal density at ``z`` ``[batch, n]``, in nats, ``[batch]``."""
    return z.square().sum(1) / 2 + z.shape[1] * math.log(2 * math.pi) / 2


class Standardised(nn.Module):
    """A density of samples that its flow meets with mean 0 and standard deviation 1 in each component.

    Args:
        flow: a module with ``surprise(x)``, as `Flow` and `PlanarFlow` have it, the first with ``round_trip(x)``.
        samples: ``[count, n]``, that mean and deviation are taken from.
    """

    flow: Any
    mean: Tensor
    scale: Tensor

    def __init__(self, flow: nn.Module, samples: Tensor) -> None:
        super().__init__()
        self.flow = flow
        self.register_buffer("mean", samples.mean(0))
        self.register_buffer("scale", samples.std(0))

    def surprise(self, x: Tensor) -> Tensor:
        """Return the negative logarithm of the density at samples ``[batch, n]``, in nats, ``[batch]``."""
        return self.flow.surprise((x - self.mean) / self.scale) + self.scale.log().sum()

    def round_trip(self, x: Tensor) -> Tensor:
        """Return samples as they come back from where the flow brought them, ``[batch, n]``."""
        return self.flow.round_trip((x - self.mean) / self.scale) * self.scale + self.mean
