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
        loss: ``loss(network, batch)``, a 0-dimensional tensor, the mean over the batch; None where it is the mean of the
            errors, so that a test batch is solved once for both.
        errors: ``errors(network, batch)``, ``[samples]``, one number for each sample of the batch.
        solver_errors: ``solver_errors(network, batch)``, ``[samples]``: what the solver loses of each sample, whatever was
            learnt, such as how far it is from itself after a way forth and back; None where that is not known.
    """

    network: nn.Module
    train: tuple[Tensor, ...] | Iterable[Any]
    test: tuple[Tensor, ...] | Iterable[Any]
    loss: Callable[[Any, Any], Tensor] | None
    errors: Callable[[Any, Any], Tensor]
    solver_errors: Callable[[Any, Any], Tensor] | None = None
