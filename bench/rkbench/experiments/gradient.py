"""Differentiate one solve: under audit for its bill, against better gradients for its error, then against the clock."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.compiling import CompileClock
from rkbench.errors import SolverError
from rkbench.experiments.failure import ExperimentFailed
from rkbench.experiments.tracing import traced
from rkbench.interface import make_solver
from rkbench.measure import Counts, Meter, audit, median_seconds, peak_memory_mb
from rkbench.memory import peak_tensor_mb
from rkbench.networks.block import ODEBlock
from rkbench.networks.mixed import Mixed
from rkbench.plan import MIXED, Cell
from rkbench.record import CellStatus, Record
from rkbench.solver import Solver
from rkbench.task import GradientTask
from rkbench.train import StepLog

REFERENCE = "dop853"

Gradient = tuple[Tensor, Tensor]
"""To the initial state, and to all parameters; flat, in float64."""


def measure(
    cell: Cell, task: GradientTask, solver: Solver, record: Record, on_epoch: Callable[[dict[str, Any]], None]
) -> None:
    """Solve and differentiate the task's f in the default dtype; nothing is learnt, and there are no epochs.

    Raises:
        SolveError: the solve failed.
        TrainingError: the engine miscounts.
        ExperimentFailed: the gradient is NaN or infinite.
    """
    device = torch.device(cell.device)
    f, y0 = task.field().to(device), torch.randn(task.shape, device=device)
    f = Mixed(f) if cell.dtype == MIXED else f
    record.parameters = sum(p.numel() for p in f.parameters() if p.requires_grad)
    with CompileClock() as compiling:
        counted = ODEBlock(f, solver=solver, t_span=task.t_span)
        seen = _bill(record, counted, y0)
        record.trace = traced(cell, task.t_span[0], counted.last_steps, counted.last_retries)
        step = _step(ODEBlock(f, solver=solver, t_span=task.t_span), y0)
        found = step()
        _refuse_non_finite(found)
        _errors(record, found, task, solver, f, y0)
        if seen:
            record.step_memory_mb = peak_tensor_mb(step, device)
        record.step_seconds = median_seconds(step, device)
    record.compile_seconds = compiling.seconds or None
    record.peak_memory_mb = peak_memory_mb(device)


def _step(block: ODEBlock, y0: Tensor, between: Callable[[], None] = lambda: None) -> Callable[[], Gradient]:
    """Return the work: a solve forward, a call in between, and its gradient."""
    start = y0.detach().requires_grad_()
    parameters = [p for p in block.parameters() if p.requires_grad]

    def step() -> Gradient:
        y1 = block(start)
        loss = 0.5 * y1.square().mean()
        between()
        to_state, *to_parameters = torch.autograd.grad(loss, [start, *parameters], materialize_grads=True)
        return to_state, torch.cat([g.reshape(-1) for g in to_parameters])

    return step


def _bill(record: Record, block: ODEBlock, y0: Tensor) -> bool:
    """Take down what the solve costs, as counted, and return whether its tensors are in torch's sight."""
    meter, read = Meter(block), []
    step = _step(block, y0, lambda: read.append(meter.read()))
    step()  # a speculative solve has something to remember from here on
    seen = not meter.unseen
    with audit(meter.fields):
        start = meter.read()
        step()
        end = meter.read()
    between = read[-1]
    log = StepLog()
    log.add(start, between, end)
    record.nfe_forward, record.nfe_backward = log.nfe_forward[0], log.nfe_backward[0]
    record.accepted, record.rejected = log.accepted[0], log.rejected[0]
    record.vjps = Counts(*(after - before for after, before in zip(end, between, strict=True))).vjps
    return seen


def _refuse_non_finite(found: Gradient) -> None:
    if not all(bool(part.isfinite().all()) for part in found):
        raise ExperimentFailed(
            CellStatus.NON_FINITE, "The gradient is NaN or infinite; take more steps or a tighter tolerance."
        )


def _errors(
    record: Record, found: Gradient, task: GradientTask, solver: Solver, f: nn.Module, y0: Tensor
) -> None:
    """Compare with the gradient of the computed map, and with that of the problem itself."""
    try:
        discrete = replace(
            solver, gradient="backprop", adjoint_rtol=None, adjoint_atol=None, checkpoints=None, compile=False,
            speculative=False,
        )  # fmt: skip
    except SolverError:
        pass
    else:
        record.discrete_gradient_error = _difference(
            found, _step(ODEBlock(f, solver=discrete, t_span=task.t_span), y0)()
        )
    if task.reference_tol is not None:
        tight = make_solver(REFERENCE, rtol=task.reference_tol, atol=task.reference_tol)
        block = ODEBlock(copy.deepcopy(f).double(), solver=tight, t_span=task.t_span)
        record.gradient_error = _difference(found, _step(block, y0.double())())


def _difference(found: Gradient, reference: Gradient) -> float:
    """Return the larger of the relative differences of the gradients to the state and to the parameters."""
    pairs = zip(found, reference, strict=True)
    return max(float((a.double() - b.double()).norm() / b.double().norm()) for a, b in pairs)
