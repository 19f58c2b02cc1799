"""A trained network under another solver and a tight tolerance: is it the ODE's, or only that of its own steps?

A network trained with too coarse a solver learns the solver too, and changes its mind when solved better (Ott et al.
2021, arXiv:2007.15386).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rkbench.errors import SolveError
from rkbench.interface import make_solver
from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver

METHOD = "dopri5"
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-8}
"""Relative and absolute, as tight as the state's type bears."""

SAMPLES = 1000
"""The first of the test set, in batches of the training size."""


class SecondLook(NamedTuple):
    """What changed on the same samples: accuracy (tight less own), and the share of predictions."""

    accuracy_change: float
    label_changes: float


@torch.no_grad()
def second_look(network: nn.Module, x: Tensor, y: Tensor, batch_size: int) -> SecondLook | None:
    """Return what a tight solve changes; None for a network without an ODE block, or that cannot be solved so."""
    blocks = [module for module in network.modules() if isinstance(module, ODEBlock)]
    if not blocks:
        return None
    x, y = x[:SAMPLES], y[:SAMPLES]
    tolerance = TOLERANCE[torch.get_default_dtype()]
    network.eval()
    own = _predicted(network, x, batch_size)
    try:
        with _solved_by(make_solver(METHOD, rtol=tolerance, atol=tolerance), blocks):
            tight = _predicted(network, x, batch_size)
    except SolveError:
        return None
    accuracies = [float((labels == y).double().mean()) for labels in (tight, own)]
    return SecondLook(accuracies[0] - accuracies[1], float((tight != own).double().mean()))


@contextmanager
def _solved_by(solver: Solver, blocks: list[ODEBlock]) -> Iterator[None]:
    before = [block.solver for block in blocks]
    for block in blocks:
        block.solver = solver
    try:
        yield
    finally:
        for block, own in zip(blocks, before, strict=True):
            block.solver = own


def _predicted(network: nn.Module, x: Tensor, batch_size: int) -> Tensor:
    return torch.cat([network(part).argmax(1) for part in x.split(batch_size)])
