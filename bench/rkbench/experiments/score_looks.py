"""A trained model under other solvers: does its score hold?"""

from __future__ import annotations

from typing import NamedTuple

from rkbench.errors import SolveError, UserError
from rkbench.experiments.looks import swaps
from rkbench.measure import timed
from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver
from rkbench.tightly import Swap, solved_by
from rkbench.train import Training


class ScoreLook(NamedTuple):
    """The model under one solver.

    Attributes:
        by_method: of its first block, as are steps and rtol.
        by_steps: equal steps; None where they adapt.
        by_rtol: relative tolerance; None for equal steps.
        test_score: on the test set.
        score_change: that, less the one under its own solver.
        nfe: evaluations of f per batch, the median.
        seconds: time of the test set.
    """

    by_method: str
    by_steps: int | None
    by_rtol: float | None
    test_score: float
    score_change: float
    nfe: float
    seconds: float


def score_looks(training: Training) -> list[ScoreLook]:
    """Return the trained model under its own solver, under coarser and finer ones, and last a tight tolerance.

    A solver that fails, or that the engine cannot run, is left out; nothing is returned for a model without an ODE block.
    """
    blocks = [module for module in training.network.modules() if isinstance(module, ODEBlock)]
    found: list[ScoreLook] = []
    for swap in [_unchanged, *swaps(blocks[0].solver)] if blocks else []:
        look = _look(training, blocks, swap, found[0].test_score if found else None)
        if look is not None:
            found.append(look)
        elif not found:
            return []
    return found


def _unchanged(solver: Solver) -> Solver:
    return solver


def _look(training: Training, blocks: list[ODEBlock], swap: Swap, own: float | None) -> ScoreLook | None:
    try:
        solver = swap(blocks[0].solver)
        with solved_by(swap, blocks):
            seconds, (_, score, nfe) = timed(
                lambda: training.evaluate(training.lesson.test()), training.device
            )
    except (SolveError, UserError):  # options that the engine does not have are a `UserError`
        return None
    rtol = solver.rtol if solver.adaptive else None
    change = score - (score if own is None else own)
    return ScoreLook(solver.method.name, solver.steps, rtol, score, change, nfe, seconds)
