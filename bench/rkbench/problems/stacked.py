"""Components to a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def stacked(*components: Tensor) -> Tensor:
    """Return the vector ``[n]`` of n 0-dimensional components."""
    import torch

    return torch.stack(components)
