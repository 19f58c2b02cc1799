"""A trained network under other solvers: is it the ODE's, or only that of its own steps?

A network trained with too coarse a solver learns the solver too, and changes its mind when solved better (Ott et al.
2021, arXiv:2007.15386). One that is an ODE's can be solved more coarsely than it was trained, for less (Chen et al. 2018,
figure 3).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from rkbench.errors import SolveError, UserError
from rkbench.interface import make_solver
from rkbench.measure import timed
from rkbench.networks.block import ODEBlock
from rkbench.record import FLIPS, LOOKED_AT
from rkbench.solver import Solver
from rkbench.tightly import METHOD, TOLERANCE, Swap, solved_by, tight_solver

OTHER = "rk4"
"""The other method that takes as many equal steps."""

STEPS, TOLERANCES = (0.5, 2.0, 4.0), (100.0, 10.0, 0.1)
"""Factors of the number of equal steps, and of the tolerances, that the network was trained with."""

MOST_STEPS = 64
_DOUBLING = [2**k for k in range(MOST_STEPS.bit_length())]


class Look(NamedTuple):
    """The network under one solver; changes are against its own on the same samples.

    Attributes:
        by_method: of its first block, as are steps and rtol.
        by_steps: equal steps; None where they adapt.
        by_rtol: relative tolerance; None for equal steps.
        accuracy: share of the samples classified correctly.
        accuracy_change: that, less that under its own solver.
        label_changes: share of the samples classified otherwise.
        logit_change: largest difference of a logit.
        nfe: evaluations of f per batch, in the mean.
        seconds: time of all samples.
    """

    by_method: str
    by_steps: int | None
    by_rtol: float | None
    accuracy: float
    accuracy_change: float
    label_changes: float
    logit_change: float
    nfe: float
    seconds: float


def looks(network: nn.Module, x: Tensor, y: Tensor, batch_size: int) -> list[Look]:
    """Return the network under its own solver, under coarser and finer ones, another method, and last a tight tolerance.

    A solver that fails, or that the engine cannot run, is left out; nothing is returned for a network without an ODE
    block, or that its own solver does not solve.
    """
    blocks = [module for module in network.modules() if isinstance(module, ODEBlock)]
    if not blocks:
        return []
    network.eval()
    x, y = x[:LOOKED_AT], y[:LOOKED_AT]
    own = _answers(network, blocks, x, batch_size, lambda solver: solver)
    if own is None:
        return []
    found = [_look(own, own, y, blocks[0].solver)]
    for swap in swaps(blocks[0].solver):
        try:
            solver = swap(blocks[0].solver)
            other = _answers(network, blocks, x, batch_size, swap)
        except UserError:  # options that the engine does not have
            continue
        if other is not None:
            found.append(_look(other, own, y, solver))
    return found


def swaps(own: Solver) -> list[Swap]:
    """Return the other solvers, the tight one last."""
    near: list[Swap] = []
    if own.adaptive:
        near = [_looser(factor) for factor in TOLERANCES]
    elif own.steps is not None:
        counts = dict.fromkeys(max(1, round(factor * own.steps)) for factor in STEPS)
        near = [_stepping(count) for count in counts if count != own.steps]
        if own.method.name != OTHER:
            near.append(lambda solver: make_solver(OTHER, steps=solver.steps))
    return [*near, tight_solver]


def _looser(factor: float) -> Swap:
    return lambda solver: replace(solver, rtol=factor * solver.rtol, atol=factor * solver.atol)


def _stepping(count: int) -> Swap:
    return lambda solver: replace(solver, steps=count)


class _Answers(NamedTuple):
    logits: Tensor
    nfe: float
    seconds: float


@torch.no_grad()
def _answers(
    network: nn.Module, blocks: list[ODEBlock], x: Tensor, batch_size: int, swap: Swap
) -> _Answers | None:
    """Return the logits under other solvers, or None where one of them fails."""
    nfe, logits = [], []

    def work() -> None:
        for part in x.split(batch_size):
            logits.append(network(part))
            nfe.append(sum(block.last_stats.nfe for block in blocks))

    with solved_by(swap, blocks):
        try:
            seconds, _ = timed(work, x.device)
        except SolveError:
            return None
    return _Answers(torch.cat(logits), sum(nfe) / max(1, len(nfe)), seconds)


def _look(answers: _Answers, own: _Answers, y: Tensor, solver: Solver) -> Look:
    labels, before = answers.logits.argmax(1), own.logits.argmax(1)
    accuracy, was = (float((one == y).double().mean()) for one in (labels, before))
    return Look(
        solver.method.name,
        solver.steps,
        solver.rtol if solver.adaptive else None,
        accuracy,
        accuracy - was,
        float((labels != before).double().mean()),
        float((answers.logits - own.logits).abs().max()),
        answers.nfe,
        answers.seconds,
    )


def critical_steps(network: nn.Module, x: Tensor, batch_size: int) -> int | None:
    """Return how few equal steps of its own method answer as the ODE does, of all blocks together.

    Answers are those of the tight solve when no more than `FLIPS` of them, or a single one, differ. The number is found
    by bisection, which takes for granted that more steps do not make it worse. None where `MOST_STEPS` in each block are
    too few, for a network without an ODE block, and for one that a tight solve does not solve.
    """
    blocks = [module for module in network.modules() if isinstance(module, ODEBlock)]
    network.eval()
    x = x[:LOOKED_AT]
    tight = _answers(network, blocks, x, batch_size, tight_solver) if blocks else None
    if tight is None:
        return None
    labels, allowed = tight.logits.argmax(1), max(1, int(FLIPS * len(x)))

    def same(steps: int) -> bool:
        coarse = _answers(
            network, blocks, x, batch_size, lambda solver: make_solver(solver.method, steps=steps)
        )
        return coarse is not None and int((coarse.logits.argmax(1) != labels).sum()) <= allowed

    above = next((steps for steps in _DOUBLING if same(steps)), None)
    if above is None:
        return None
    counts = range(above // 2 + 1, above)
    return len(blocks) * (above // 2 + 1 + bisect_left(counts, True, key=same)) if above > 1 else len(blocks)


class _Tried(Protocol):
    @property
    def by_method(self) -> str: ...

    @property
    def by_rtol(self) -> float | None: ...


T = TypeVar("T", bound=_Tried)


def tight(found: list[T]) -> T | None:
    """Return the look at the tight tolerance, if that solve succeeded."""
    last = found[-1] if len(found) > 1 else None
    is_tight = last and (last.by_method, last.by_rtol) == (METHOD, TOLERANCE[torch.get_default_dtype()])
    return last if is_tight else None
