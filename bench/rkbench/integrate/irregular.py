"""A solve in which each sample has a span or output times of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rkbench.errors import UnsupportedError
from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.field import Field
from rkbench.integrate.fixed import fixed_loop, grid
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.gradients.checkpoint import checkpoint_road
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.own_spans import OwnSpans, Rescaled, arrived, own_spans, set_off
from rkbench.integrate.per_sample import PerSampleSolve, at_rest
from rkbench.integrate.row_outputs import RowOutputs
from rkbench.solution import Solution, Stats
from rkbench.solver import SAMPLEWISE, Solver

Regular = Callable[[Solver, Callable[..., Any], Tensor, Sequence[Any], Sequence[Any] | None], Solution]


def irregular_solve(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[Any],
    t_eval: Sequence[Any] | None,
    regular: Regular,
) -> Solution:
    """Run one solve over the spans of the samples; see `NativeEngine.solve`.

    Args:
        solver: how.
        f: ``f(t, y)``, with t ``[samples, 1, …]``.
        y0: ``[samples, *shape]``.
        t_span: (t0, t1), each a number or ``[samples]``.
        t_eval: output times, likewise.
        regular: runs a solve over one span.

    Raises:
        SolverError: the times do not fit together.
        UnsupportedError: the solver cannot follow them.
    """
    spans = own_spans(y0, t_span, t_eval)
    if not spans.moves:
        spans = spans.detached()
    if bool((spans.t0 == spans.t1).all()):
        samples = at_rest(y0, float("nan")) if solver.control == "sample" else None
        y = y0.expand(len(spans.times), *y0.shape)
        return Solution(spans.times.detach(), y, Stats(), (), 1.0, samples=samples)
    if solver.compile:
        raise UnsupportedError(
            "compile=True does not follow spans that each sample has of its own; drop it, or give one span for all."
        )
    if solver.control == "sample":
        return _walked(solver, f, y0, spans)
    return _shared(solver, f, y0, spans, regular, at_ends=t_eval is None)


def _road(solver: Solver, f: Callable[..., Any]) -> Road:
    checkpoints = solver.gradient == "checkpoint" and torch.is_grad_enabled()
    return checkpoint_road(f) if checkpoints else BACKPROP


def _walked(solver: Solver, f: Callable[..., Any], y0: Tensor, spans: OwnSpans) -> Solution:
    """Return the solve in which each sample has its own steps."""
    y, before = set_off(f, y0, spans)
    numbers = spans.detached()
    solve = PerSampleSolve(
        solver, Field(f, y, 0.0, 1.0), y, numbers.courses(), numbers.times, _road(solver, f)
    )
    solution = solve.run()
    states, after = arrived(f, solution.y, spans)
    solution.stats.nfe_output += before + after
    return replace(solution, y=states)


def _shared(
    solver: Solver, f: Callable[..., Any], y0: Tensor, spans: OwnSpans, regular: Regular, *, at_ends: bool
) -> Solution:
    """Return the solve in which a step is the same share of every span."""
    if at_ends or _on_ends(spans):
        return _to_the_ends(solver, f, y0, spans, regular)
    if solver.gradient not in SAMPLEWISE and torch.is_grad_enabled():
        raise UnsupportedError(
            f"gradient={solver.gradient!r} does not follow output times that each sample has of its own; use "
            f"gradient={' or '.join(map(repr, SAMPLEWISE))}."
        )
    rescaled = Rescaled(f, spans, y0)
    outputs = RowOutputs(spans.shares, Field(rescaled, y0, 0.0, 1.0), y0, spans.times.detach())
    field, road = Field(rescaled, y0, 0.0, 1.0), _road(solver, rescaled)
    if solver.adaptive:
        solution = AdaptiveSolve(solver, field, y0, 0.0, 1.0, outputs, road).run()
    else:
        solution = fixed_loop(solver.method, field, y0, grid(solver, 0.0, 1.0), outputs, road)
    solution.stats.nfe_output += outputs.calls
    return solution


def by_shares(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[Any],
    t_eval: Sequence[Any] | None,
) -> Solution:
    """Run a solve over the spans of the samples by an engine that knows one span for all.

    Raises:
        SolverError: the times do not fit together.
        UnsupportedError: states between the ends, or gradients to times, are asked for.
    """
    spans = own_spans(y0, t_span, t_eval)
    if spans.moves or not (t_eval is None or _on_ends(spans)):
        raise UnsupportedError(
            f"The engine {solver.engine.name} knows nothing of times that each sample has of its own, but for the ends of "
            "spans without gradient; use engine='rkbench'."
        )
    return _to_the_ends(solver, f, y0, spans.detached(), solver.engine.solve)


def _on_ends(spans: OwnSpans) -> bool:
    """Return whether every output time is the start or the end of its sample's span, and stays so."""
    shares = spans.shares
    return not spans.times.requires_grad and bool(((shares == 0) | (shares == 1)).all())


def _to_the_ends(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    spans: OwnSpans,
    engine: Regular | Callable[..., Solution],
) -> Solution:
    solution = engine(solver, Rescaled(f, spans, y0), y0, (0.0, 1.0), (0.0, 1.0))
    start, end = solution.y
    return replace(solution, t=spans.times.detach(), y=_chosen(spans.shares.detach() == 1, start, end))


def _chosen(ended: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return, for each output time and sample, the state at the end or at the start."""
    mask = ended.reshape(*ended.shape, *[1] * (start.dim() - 1))
    return torch.where(mask, end, start)
