"""The lesson of `ModelTask`: whatever a model brings along."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.errors import UserError
from rkbench.lesson import Batch, Judged
from rkbench.model import Model
from rkbench.record import LOGARITHMS
from rkbench.task import Recipe, Score


class Modelling:
    """The loss and the errors of a model; see `Lesson`.

    Args:
        model: its data are moved as batches are asked for, before the clock starts.
        recipe: for the size of batches, where the data are tensors.
        score: what becomes of the errors.
        device: where batches go; floating-point tensors take the default dtype.

    Attributes:
        tight: whether the network is judged by its ODE, solved at a tight tolerance.

    Raises:
        UserError: the data are no tensors of one length and no iterable of batches with a length.
    """

    column = "test_score"
    limit, past_limit = math.inf, ""

    def __init__(self, model: Model, recipe: Recipe, score: Score, device: str) -> None:
        self.model, self.recipe, self._score = model, recipe, score
        self.tight = score.tight
        self.device = torch.device(device)
        self.train, self.held_out = (
            self._ready(data, name) for data, name in ((model.train, "train"), (model.test, "test"))
        )
        self.steps = len(self.train)

    def _ready(self, data: Any, name: str) -> Any:
        if isinstance(data, tuple) and data and all(isinstance(x, Tensor) for x in data):
            if len({len(x) for x in data}) > 1 or not len(data[0]):
                raise UserError(
                    f"The tensors of {name} must have as many samples each, and one at least; look at their first axes."
                )
            return _Tensors(tuple(moved(x, self.device) for x in data), self.recipe.batch_size)
        if not hasattr(data, "__iter__") or not hasattr(data, "__len__") or not len(data):
            raise UserError(
                f"{name} must be a tuple of tensors, or batches that can be counted and gone through again, not "
                f"{type(data).__name__}; give a list, or torch's DataLoader."
            )
        return data

    def epoch(self, order: torch.Generator) -> list[Batch]:
        """Return the batches of an epoch; a loader is let loose with torch's generator seeded by ``order``."""
        if isinstance(self.train, _Tensors):
            return self.train.shuffled(order)
        with torch.random.fork_rng():
            torch.manual_seed(int(torch.randint(2**62, (1,), generator=order)))
            return [moved(batch, self.device) for batch in self.train]

    def sizes(self) -> list[Batch]:
        """Return the first batch of the training set, and the last."""
        with torch.random.fork_rng():
            batches = list(self.training())
        return batches[:1] if len(batches) == 1 else [batches[0], batches[-1]]

    def training(self) -> Iterable[Batch]:
        """Return the training set, as its loader gives it."""
        return self._moved(self.train)

    def test(self) -> Iterable[Batch]:
        """Return the test set."""
        return self._moved(self.held_out)

    def _moved(self, data: Iterable[Any]) -> Iterator[Batch]:
        return (moved(batch, self.device) for batch in data)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the model's loss, which is the mean of its errors where it has none of its own."""
        if self.model.loss is None:
            return self._each("errors", self.model.errors(network, batch)).mean()
        return self.model.loss(network, batch)

    def judge(self, network: nn.Module, batch: Batch) -> Judged:
        """Return loss and errors of a batch.

        Raises:
            UserError: the errors are not one number for each sample, or are negative and no logarithms.
        """
        errors = self._each("errors", self.model.errors(network, batch))
        self._refuse_negative(errors)
        loss = errors.mean() if self.model.loss is None else self.model.loss(network, batch)
        return Judged(float(loss) * len(errors), float(errors.double().sum()), len(errors))

    def _refuse_negative(self, errors: Tensor) -> None:
        if (self._score.root or self._score.unit not in LOGARITHMS) and bool((errors < 0).any()):
            raise UserError(
                f"errors(network, batch) gave {float(errors.min()):g}, and the score {self._score.name} has no negative ones; "
                "make them 0 or more, or give the Score the unit nats, bits or bits/dim."
            )

    @torch.no_grad()
    def solver_error(self, network: nn.Module) -> float | None:
        """Return what the solver loses of a test sample in the mean, or None where the model does not tell.

        Raises:
            SolveError: a solve failed.
            UserError: the solver errors are not one number for each sample.
        """
        if self.model.solver_errors is None:
            return None
        network.eval()
        found = [
            self._each("solver_errors", self.model.solver_errors(network, batch)) for batch in self.test()
        ]
        return float(torch.cat(found).double().mean())

    @staticmethod
    def _each(name: str, errors: object) -> Tensor:
        """Return what a function of the model gave, if that is one number for each sample."""
        if isinstance(errors, Tensor) and errors.dim() == 1:
            return errors
        found = tuple(errors.shape) if isinstance(errors, Tensor) else type(errors).__name__
        raise UserError(f"{name}(network, batch) must be one number for each sample, [samples], not {found}.")

    def score(self, mean: float) -> float:
        """Return the model's score."""
        return self._score.of(mean)


class _Tensors:
    """Samples as the rows of tensors, batch by batch."""

    def __init__(self, tensors: tuple[Tensor, ...], size: int) -> None:
        self.tensors, self.size = tensors, size

    def __len__(self) -> int:
        return math.ceil(len(self.tensors[0]) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return self._split(self.tensors)

    def shuffled(self, order: torch.Generator) -> list[tuple[Tensor, ...]]:
        """Return the batches in an order of their own."""
        rows = torch.randperm(len(self.tensors[0]), generator=order).to(self.tensors[0].device)
        return list(self._split(tuple(x[rows] for x in self.tensors)))

    def _split(self, tensors: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
        return zip(*(x.split(self.size) for x in tensors), strict=True)


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch on the device, its floating-point tensors in the default dtype."""
    if isinstance(batch, Tensor):
        return batch.to(device, torch.get_default_dtype() if batch.is_floating_point() else batch.dtype)
    if isinstance(batch, dict):
        return {name: moved(part, device) for name, part in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(moved(part, device) for part in batch)
    return batch
