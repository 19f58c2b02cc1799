"""Mixed precision: f computes in bfloat16 what bears it, the solver keeps states, sums and errors in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock


class Mixed(nn.Module):
    """f under autocast to bfloat16, in whatever thread it is called; its result is of the last input's type.

    Products and convolutions are computed in bfloat16, normalisations and sums in float32, as torch sorts them.

    Args:
        f: a function of tensors, the last of which tells the device and the type of the result.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        super().__init__()
        self.f = f

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what f returns, in the type of the last input."""
        with torch.autocast(inputs[-1].device.type, torch.bfloat16):
            return self.f(*inputs).to(inputs[-1].dtype)

    def __getattr__(self, name: str) -> Any:
        """Return a method of f, under autocast, or what else it has: models are asked for more than their output."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == "f":
                raise
        found = getattr(self.f, name)
        return self._under_autocast(found) if callable(found) else found

    def _under_autocast(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def called(*inputs: Any, **named: Any) -> Any:
            with torch.autocast(next(self.parameters()).device.type, torch.bfloat16):
                return method(*inputs, **named)

        return called


def in_mixed_precision(network: nn.Module) -> nn.Module:
    """Return the network with the f of every ODE block in mixed precision; without any, all of it."""
    blocks = [module for module in network.modules() if isinstance(module, ODEBlock)]
    for block in blocks:
        block.f = Mixed(block.f)
    return network if blocks else Mixed(network)
