"""What a training asks of the thing that is learnt: batches, a loss, and a score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Batch = Any
"""What a loss is given: tensors on the device, as the lesson likes them."""


class Judged(NamedTuple):
    """What a network made of some samples.

    Attributes:
        loss: summed over the samples.
        score: likewise.
        samples: how many they are.
    """

    loss: float
    score: float
    samples: int


class Lesson(Protocol):
    """Data, loss and score of a task, on a device and ready to train with.

    Attributes:
        device: where batches are.
        column: of the curve, where the score on the test set stands: ``test_accuracy`` or ``test_score``.
        tight: whether the score is that of the network's ODE, solved at a tight tolerance, and not of its own solver.
        steps: training steps in an epoch.
        limit: a loss beyond it is that of a training gone astray.
        past_limit: what to say of it, after "The … loss grew to …".
    """

    device: torch.device
    column: str
    tight: bool
    steps: int
    limit: float
    past_limit: str

    def epoch(self, order: torch.Generator) -> list[Batch]:
        """Return the batches of one epoch, drawn by ``order`` alone, so that every solver meets the same."""
        ...

    def sizes(self) -> list[Batch]:
        """Return one batch of every shape that an epoch has, the commonest first."""
        ...

    def training(self) -> Iterable[Batch]:
        """Return the training set as it is looked at afterwards, in batches of the training size."""
        ...

    def test(self) -> Iterable[Batch]:
        """Return the test set, likewise: error control is shared by a batch, so another size would be another solver."""
        ...

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return what a training step makes smaller, a 0-dimensional tensor."""
        ...

    def judge(self, network: nn.Module, batch: Batch) -> Judged:
        """Return loss and score of a batch."""
        ...

    def score(self, mean: float) -> float:
        """Return the score, given its mean over samples."""
        ...
