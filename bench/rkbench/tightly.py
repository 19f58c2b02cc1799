"""A network with other solvers in its ODE blocks for a while, and the one that stands for the ODE itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from rkbench.interface import make_solver
from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver

METHOD = "dopri5"
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-8}
"""Relative and absolute, as tight as the state's type bears."""

Swap = Callable[[Solver], Solver]
"""What a block is solved by, given its own solver."""


def tight_solver(solver: Solver) -> Solver:
    """Return what stands for the ODE, whatever solver a block has."""
    tolerance = TOLERANCE[torch.get_default_dtype()]
    return make_solver(METHOD, rtol=tolerance, atol=tolerance)


@contextmanager
def solved_by(swap: Swap, blocks: list[ODEBlock]) -> Iterator[None]:
    """Have other solvers solve the blocks inside."""
    before = [block.solver for block in blocks]
    for block in blocks:
        block.solver = swap(block.solver)
    try:
        yield
    finally:
        for block, own in zip(blocks, before, strict=True):
            block.solver = own
