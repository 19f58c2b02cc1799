"""What a training step makes smaller: cross-entropy, and what the modules of a network add to it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class Objective:
    """The loss of a network: its cross-entropy, and the penalties of its modules.

    A module that has a method ``penalty()``, without arguments, adds what it returns, a 0-dimensional tensor, to the loss
    of every training step; it is asked after the network was.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        penalised: list[Any] = [module for module in network.modules() if hasattr(module, "penalty")]
        self._penalised = penalised

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss, and the cross-entropy in it."""
        entropy = cross_entropy(self.network(x), y)
        loss = entropy
        for module in self._penalised:
            loss = loss + module.penalty()
        return loss, entropy.detach()
