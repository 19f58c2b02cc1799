"""What a `ModelTask` builds: a network with its own data, loss and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

Data = Any
"""Tensors whose first axis counts the samples, in a tuple; or an iterable of batches with a length, such as torch's
``DataLoader``. Batches are tensors, or tuples, lists and dictionaries of such."""


@dataclass(frozen=True)
class Model:
    """A network with its own data, loss and errors.

    Attributes:
        network: a module; its ODE blocks are found in it, measured, and tried with other solvers afterwards.
        train: what it is trained with. A loader is asked for its batches anew in every epoch, with torch's generator
            seeded for that epoch, so that every solver meets the same.
        test: what it is judged by, the same in every epoch.
        loss: ``loss(network, batch)``, a 0-dimensional tensor, the mean over the batch.
        errors: ``errors(network, batch)``, ``[samples]``, one number for each sample of the batch.
    """

    network: nn.Module
    train: tuple[Tensor, ...] | Iterable[Any]
    test: tuple[Tensor, ...] | Iterable[Any]
    loss: Callable[[nn.Module, Any], Tensor]
    errors: Callable[[nn.Module, Any], Tensor]
