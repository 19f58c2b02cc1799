"""A trained network asked about samples alone, and in a batch: where a batch shares its steps, samples share their fate.

An error norm over the whole batch chooses steps for all of it, so what a network answers depends on who else is asked.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rkbench.errors import SolveError
from rkbench.networks.block import ODEBlock

SAMPLES = 100
"""The first of the test set; each is solved alone."""


class BatchMates(NamedTuple):
    """What the batch changed: the largest difference of a logit, and the share of predictions."""

    logit_change: float
    label_changes: float


@torch.no_grad()
def batch_mates(network: nn.Module, x: Tensor, batch_size: int) -> BatchMates | None:
    """Return what a batch of the training size changes for its first samples against being asked one by one.

    None for a network whose samples take equal steps or steps of their own, which no others can change, and for one
    that cannot be solved.
    """
    solvers = [module.solver for module in network.modules() if isinstance(module, ODEBlock)]
    if not any(solver.adaptive and solver.control == "batch" for solver in solvers):
        return None
    network.eval()
    batch = x[:batch_size]
    try:
        together = network(batch)[:SAMPLES]
        alone = torch.cat([network(sample) for sample in batch[:SAMPLES].split(1)])
    except SolveError:
        return None
    return BatchMates(
        float((together - alone).abs().max()),
        float((together.argmax(1) != alone.argmax(1)).double().mean()),
    )
