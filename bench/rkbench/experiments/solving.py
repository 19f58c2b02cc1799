"""Solve an initial value problem: once under audit, for its error and its bill, then again and again for its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import SolveError
from rkbench.experiments.failure import ExperimentFailed
from rkbench.measure import Counted, audit, median_seconds, peak_memory_mb, timed
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

    with torch.no_grad():
        counted = Counted(problem.f, compiled=solver.compile)
        with audit([counted]):
            solution = solve(counted)
        _take_down(record, solution, counted.calls)
        record.solution_error = problem.error(solution.y[-1])
        first = timed(lambda: solve(problem.f), device)[0] if solver.compile else 0.0
        record.solve_seconds = median_seconds(lambda: solve(problem.f), device)
    if solver.compile:
        record.compile_seconds = max(0.0, first - record.solve_seconds)
    record.peak_memory_mb = peak_memory_mb(device)


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
