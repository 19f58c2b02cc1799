"""The lesson of `Task`: to tell images apart by their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rkbench.augmentation import cropped, flipped
from rkbench.data import Dataset
from rkbench.lesson import Judged
from rkbench.task import Recipe

Labelled = tuple[Tensor, Tensor]
"""Images and their labels."""


class Classification:
    """Cross-entropy and accuracy; see `Lesson`.

    Args:
        data: on the device, in the dtype.
        recipe: for the size of batches, and how images are moved about.
    """

    column = "test_accuracy"
    past_limit = "ten times that of guessing"
    tight = False

    def __init__(self, data: Dataset, recipe: Recipe) -> None:
        self.data, self.recipe, self.device = data, recipe, data.x_train.device
        self.steps = math.ceil(len(data.y_train) / recipe.batch_size)
        self.limit = 10 * math.log(data.classes)
        self._darkest = data.x_train.min().item() if recipe.crop else 0.0

    def epoch(self, order: torch.Generator) -> list[Labelled]:
        """Return the batches of an epoch: views of data gathered once, or those moved about."""
        shuffled = torch.randperm(len(self.data.y_train), generator=order).to(self.device)
        x, y = self.data.x_train[shuffled], self.data.y_train[shuffled]
        size = self.recipe.batch_size
        return [
            (self._moved(images, order), labels)
            for images, labels in zip(x.split(size), y.split(size), strict=True)
        ]

    def _moved(self, x: Tensor, random: torch.Generator) -> Tensor:
        """Return images as the recipe has them moved about."""
        if self.recipe.crop:
            x = cropped(x, self.recipe.crop, self._darkest, random)
        return flipped(x, random) if self.recipe.flip else x

    def sizes(self) -> list[Labelled]:
        """Return a full batch, and one of the size of the last, for which compilers compile again."""
        x, y = self.data.x_train, self.data.y_train
        size, rest = self.recipe.batch_size, len(y) % self.recipe.batch_size
        return [(x[:count], y[:count]) for count in (size, rest) if count]

    def training(self) -> Iterable[Labelled]:
        """Return the training set, not moved about."""
        return self._split(self.data.x_train, self.data.y_train)

    def test(self) -> Iterable[Labelled]:
        """Return the test set."""
        return self._split(self.data.x_test, self.data.y_test)

    def _split(self, x: Tensor, y: Tensor) -> Iterable[Labelled]:
        return zip(x.split(self.recipe.batch_size), y.split(self.recipe.batch_size), strict=True)

    def loss(self, network: nn.Module, batch: Labelled) -> Tensor:
        """Return the cross-entropy of a batch."""
        return cross_entropy(network(batch[0]), batch[1])

    def judge(self, network: nn.Module, batch: Labelled) -> Judged:
        """Return the cross-entropy of a batch, and how many of it are classified correctly."""
        x, y = batch
        logits = network(x)
        loss = cross_entropy(logits, y, reduction="sum").item()
        return Judged(loss, int((logits.argmax(1) == y).sum()), len(y))

    def score(self, mean: float) -> float:
        """Return the share that is classified correctly."""
        return mean
