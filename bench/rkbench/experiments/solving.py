"""Solve an initial value problem: once under audit, for its error and its bill, then again and again for its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rkbench.compiling import CompileClock
from rkbench.errors import SolveError
from rkbench.experiments.failure import ExperimentFailed
from rkbench.experiments.tracing import traced
from rkbench.measure import Counted, audit, median_seconds, peak_memory_mb
from rkbench.plan import Cell
from rkbench.record import CellStatus, Record
from rkbench.solution import Solution, Status
from rkbench.solver import Solver
from rkbench.task import SolveTask


def measure(
    cell: Cell, task: SolveTask, solver: Solver, record: Record, on_epoch: Callable[[dict[str, Any]], None]
) -> None:
    """Solve the task's problem, in the default dtype; nothing is differentiated, and there are no epochs.

    Raises:
        SolveError: the solve failed; what it cost until then is in the record.
        ExperimentFailed: the engine miscounts.
    """
    problem, device = task.problem, torch.device(cell.device)
    y0 = problem.initial(torch.get_default_dtype()).to(device)

    def solve(f: Callable[[Tensor, Tensor], Tensor]) -> Solution:
        return solver.engine.solve(solver, f, y0, problem.t_span)

    with torch.no_grad(), CompileClock() as compiling:
        solution, calls = _audited(solver, problem.f, solve)
        record.trace = traced(cell, problem.t_span[0], solution.steps, solution.retries)
        _take_down(record, solution, calls)
        record.solution_error = problem.error(solution.y[-1])
        for _ in range(1 + solver.speculative):  # what is remembered is compiled the second time
            solve(problem.f)
        record.solve_seconds = median_seconds(lambda: solve(problem.f), device)
    record.compile_seconds = compiling.seconds or None
    record.peak_memory_mb = peak_memory_mb(device)


def _audited(
    solver: Solver, f: Callable[..., Any], solve: Callable[[Counted], Solution]
) -> tuple[Solution, int]:
    """Return a solve such as will be timed, and the evaluations of f in it."""
    counted = Counted(f, compiled=solver.compile)
    if solver.speculative:
        solve(counted)  # there is something to remember from here on
    before = counted.calls
    with audit([counted]):
        solution = solve(counted)
    return solution, counted.calls - before


def _take_down(record: Record, solution: Solution, calls: int) -> None:
    """Take down what the solve cost, as counted, and refuse a claim that differs, and a failure."""
    stats = solution.stats
    record.nfe_forward, record.accepted, record.rejected = calls, stats.accepted, stats.rejected
    if calls != stats.nfe:
        raise ExperimentFailed(
            CellStatus.PLUGIN_FAILED,
            f"The engine claims {stats.nfe} evaluations of f where the harness counted {calls}; correct the engine's "
            "Stats.",
        )
    if solution.status is not Status.OK:
        raise SolveError(solution, solution.sentence)
