"""What a training step makes smaller: the loss of the lesson, and what the modules of a network add to it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from rkbench.lesson import Batch, Lesson


class Objective:
    """The loss of a network: that of its lesson, and the penalties of its modules.

    A module that has a method ``penalty()``, without arguments, adds what it returns, a 0-dimensional tensor, to the loss
    of every training step; it is asked after the network was.
    """

    def __init__(self, network: nn.Module, lesson: Lesson) -> None:
        self.network, self.lesson = network, lesson
        penalised: list[Any] = [module for module in network.modules() if hasattr(module, "penalty")]
        self._penalised = penalised

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss, and the lesson's share of it."""
        own = self.lesson.loss(self.network, batch)
        loss = own
        for module in self._penalised:
            loss = loss + module.penalty()
        return loss, own.detach()
