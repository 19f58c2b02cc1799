"""`segments` and `binomial`: keep few states, and take the steps between them again when their gradient is due.

The gradient is that of backprop to round-off, the values are those of a solve without gradient, and so is its cost.
The way forth keeps nothing of f: it writes down where each step began and how long it was, as numbers, and one
state now and then, with its first slope where the step before has computed it. The way back repeats those very
steps, bit by bit, from the kept states on (`schedule`), and holds the graph of one step at a time.

``segments`` keeps about √N of N states (Chen et al. 2016, arXiv:1604.06174) and takes each step twice more at most;
``binomial`` keeps about log2 N, and takes steps again as seldom as that allows (Griewank & Walther 2000,
doi:10.1145/347837.347846). An adaptive solve does not know N beforehand, so its way forth thins what it keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.fixed import grid
from rkbench.integrate.gradients.again import again
from rkbench.integrate.gradients.problem import Opening, Problem, no_draws, opened, refuse_second_derivative
from rkbench.integrate.gradients.retake import Retake, State, after, cost
from rkbench.integrate.gradients.schedule import Action, way_back
from rkbench.integrate.gradients.snapshots import BINOMIAL, SEGMENTS, Snapshots
from rkbench.integrate.gradients.tape import Recorder, Taken, Tape
from rkbench.integrate.step import Slopes
from rkbench.solution import Solution

KEEPING = {"segments": SEGMENTS, "binomial": BINOMIAL}


def replay_solve(problem: Problem, y0: Tensor) -> Solution:
    """Solve without a graph, and tell autograd the way back, whose cost is in ``solution.stats``.

    Raises:
        SolverError: f draws random numbers.
    """
    with no_draws(y0):
        opening = opened(problem, y0)
        y, solution = _Replayed.apply(problem, opening, y0, *opening.parameters)
    return replace(solution, y=y)


class _Replayed(torch.autograd.Function):
    """(y0, parameters) -> states at the output times."""

    @staticmethod
    def forward(
        ctx: Any, problem: Problem, opening: Opening, y0: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Solution]:
        y0 = y0.detach()
        snapshots = _snapshots(problem)
        recorder = _recorder(problem, y0, snapshots)
        solution = opening.solve(problem, y0, recorder)
        ctx.problem, ctx.tape, ctx.again = problem, recorder.tape, again(problem.f, y0)
        ctx.tape.cut()
        last = len(ctx.tape.steps)
        ctx.kept = {step: state for step, state in snapshots.kept.items() if 0 < step < last}
        ctx.save_for_backward(y0, *parameters)
        if any(ctx.needs_input_grad):
            stats, actions = solution.stats, _actions(problem, [0, *ctx.kept], ctx.tape)
            stats.nfe_backward, stats.vjps = cost(ctx.tape, actions)
        return solution.y, solution

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        refuse_second_derivative(ctx.problem)
        y0, *parameters = ctx.saved_tensors
        kept, ctx.kept = (
            {0: State(y0, None)} | ctx.kept,
            {},
        )  # let go one by one; a second pass starts from y0
        actions = _actions(ctx.problem, list(kept), ctx.tape)
        retake = Retake(ctx.tape, ctx.problem.field(y0), kept, parameters, grads[0])
        with ctx.again():
            by_y0, by_parameters = retake.run(actions)
        return None, None, by_y0, *by_parameters


def _snapshots(problem: Problem) -> Snapshots[State]:
    """Return what to keep. Equal steps are counted beforehand; landing on output times may add to them."""
    solver = problem.solver
    if solver.adaptive:
        return KEEPING[solver.gradient].forth(None, solver.checkpoints)
    landings = problem.times if solver.method.interpolation is None else ()
    steps = len({*grid(solver, problem.t0, problem.t1), *landings}) - 1
    return KEEPING[solver.gradient].forth(steps, solver.checkpoints)


def _recorder(problem: Problem, y0: Tensor, snapshots: Snapshots[State]) -> Recorder:
    """Return outputs that offer each state to the snapshots."""
    tape = Tape()

    def offer(step: Taken, y: Tensor, k: Slopes, y_new: Tensor) -> None:
        assert tape.scheme is not None
        snapshots.offer(len(tape.steps), after(tape.scheme, y_new, k))

    snapshots.offer(0, State(y0, None))
    return Recorder(problem.t0, problem.t1, problem.times, y0, offer, tape)


def _actions(problem: Problem, kept: list[int], tape: Tape) -> Iterator[Action]:
    """Return the way back from the end of the tape."""
    steps = len(tape.steps)
    slots = KEEPING[problem.solver.gradient].back(steps, problem.solver.checkpoints)
    return way_back(kept, steps, slots) if steps else iter(())
