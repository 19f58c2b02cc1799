"""What an ODE-net is trained on, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.solver import Solver


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: Adam under a one-cycle learning rate, cross-entropy, shuffled batches.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step; the last, smaller batch of an epoch is used too.
        learning_rate: the peak of the cycle (Smith & Topin 2018, arXiv:1708.07120).
        weight_decay: decoupled, as in AdamW.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-2
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Task:
    """Data, network, recipe, score and target, under one name. The score is classification accuracy.

    Attributes:
        name: how users ask for it.
        dataset: a name of `rkbench.data`.
        network: ``network(solver, example, classes)`` returns a module that maps a batch of inputs to logits
            ``[batch, classes]`` and holds its `ODEBlock` (or several); ``example`` is a batch of the data.
        recipe: how it is trained.
        target: test accuracy, 0 to 1, whose time and cost are reported; fixed here, before any run.
        summary: one line on the network and where it comes from.
    """

    name: str
    dataset: str
    network: Callable[[Solver, Tensor, int], nn.Module]
    recipe: Recipe
    target: float
    summary: str = ""
