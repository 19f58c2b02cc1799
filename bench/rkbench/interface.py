"""`solve` and `odeint`: names and options become a `Solver`, and an engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rkbench import registry
from rkbench.controller import FIXED, StepController
from rkbench.errors import SolveError, SolverError
from rkbench.solution import Solution, Status
from rkbench.solver import Engine, Solver
from rkbench.tableau import ButcherTableau

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_CONTROLLER = "pi"


def make_solver(
    method: str | ButcherTableau,
    *,
    steps: int | None = None,
    controller: str | StepController | None = None,
    engine: str | Engine = "rkbench",
    plugins: registry.Registry | None = None,
    **options: Any,
) -> Solver:
    """Return the solver that names and options describe.

    Args:
        method: a registered name, or a tableau.
        steps: number of equal steps; a method with an embedded solution is adaptive without it.
        controller: a registered name or a controller; ``pi`` for adaptive solves unless given.
        engine: a registered name, or an engine.
        plugins: where names are looked up; the installed plugins unless given.
        options: further fields of `Solver`: rtol, atol, norm, control, gradient, compile, max_steps, adjoint_rtol,
            adjoint_atol, seminorm, checkpoints, speculative.

    Raises:
        UnknownNameError: nobody registered the name.
        SolverError: the options do not fit together.
    """
    if isinstance(method, str):
        method = (plugins or registry.default()).method(method)
    if isinstance(engine, str):
        engine = (plugins or registry.default()).engine(engine)
    if controller is None:
        controller = FIXED if steps is not None or not method.adaptive else DEFAULT_CONTROLLER
    if isinstance(controller, str):
        controller = (plugins or registry.default()).controller(controller)
    return Solver(method=method, controller=controller, engine=engine, steps=steps, **options)


def solve(
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[float | Tensor],
    *,
    method: str | ButcherTableau = "dopri5",
    t_eval: Sequence[float | Tensor] | None = None,
    steps: int | None = None,
    rtol: float = 1e-3,
    atol: float = 1e-6,
    controller: str | StepController | None = None,
    engine: str | Engine = "rkbench",
    norm: str = "rms",
    control: str = "batch",
    gradient: str = "backprop",
    compile: bool = False,
    max_steps: int = 10_000,
    **options: Any,
) -> Solution:
    """Integrate y' = f(t, y) from y(t0) = y0 to t1.

    Args:
        f: ``f(t, y)``: t a 0-dimensional tensor, y and the result like ``y0``. Never called outside [t0, t1]. With
            ``control="sample"``, y holds the samples that still run and t their times, ``[samples, 1, …]``; f must
            take any number of them and treat each by itself.
        y0: initial state, any shape, any real floating dtype, any device.
        t_span: (t0, t1), in either direction: numbers, or 0-dimensional tensors, which get their gradient.
        method: a registered name (``rkbench list methods``), or a tableau.
        t_eval: output times within the span; (t0, t1) unless given. Numbers, or tensors, which get their gradient;
            a number stays where it is when the span moves.
        steps: a grid of that many equal steps. Without it the steps adapt to ``rtol`` and ``atol``, which needs
            a method with an embedded solution.
        rtol: relative tolerance of a step.
        atol: absolute tolerance of a step.
        controller: how steps are chosen: a registered name or a controller; ``pi`` unless given.
        engine: what executes the solve.
        norm: ``rms`` over the whole batch, or ``worst_sample``.
        control: ``batch``: one step size for all samples. ``sample``: each sample along the first axis has its own
            steps and its own status (``solution.samples``), the same in any batch.
        gradient: ``backprop``: the exact gradient of the computed map, keeping all that f computes. The same with
            less memory: ``checkpoint`` keeps the states between N steps, ``segments`` about √N of them, ``binomial``
            about log2 N. That of the continuous problem: ``adjoint`` in memory that does not grow,
            ``interpolated`` keeping a dense output, which does not drift. Only ``backprop`` and ``checkpoint`` can
            be differentiated again.
        compile: whether the engine compiles the solve: equal steps as one graph, adaptive ones step by step. The
            first solve of each f, shape and method waits for the compiler.
        max_steps: the most steps, accepted and rejected.
        options: adjoint_rtol, adjoint_atol, seminorm and checkpoints, as `Solver` tells them.

    Returns:
        The solution with its status and counts. A failing solve returns too: look at ``solution.status``.

    Raises:
        UserError: a name nobody registered, options that do not fit together, or a wrong f, y0 or time.
    """
    solver = make_solver(
        method,
        steps=steps,
        controller=controller,
        engine=engine,
        rtol=rtol,
        atol=atol,
        norm=norm,
        control=control,
        gradient=gradient,
        compile=compile,
        max_steps=max_steps,
        **options,
    )
    return solved(solver, f, y0, t_span, t_eval)


def solved(
    solver: Solver,
    f: Callable[..., Any],
    y0: Tensor,
    t_span: Sequence[float | Tensor],
    t_eval: Sequence[float | Tensor] | None,
) -> Solution:
    """Have the solver's engine solve; times are differentiated where they ask for it, and else are numbers.

    Raises:
        SolverError: a time asks for a gradient that the engine does not give.
    """
    span: tuple[Any, ...] = tuple(t_span)
    times: tuple[Any, ...] | None = None if t_eval is None else tuple(t_eval)
    if any(getattr(time, "ndim", 0) for time in (*span, *(times or ()))):
        if getattr(solver.engine, "own_spans", False):
            return solver.engine.solve(solver, f, y0, span, times)
        from rkbench.integrate.irregular import by_shares

        return by_shares(solver, f, y0, span, times)
    if any(getattr(time, "requires_grad", False) for time in (*span, *(times or ()))):
        import torch

        if not torch.is_grad_enabled():
            span, times = numbers(span), None if times is None else numbers(times)
        elif not getattr(solver.engine, "differentiates_times", False):
            raise SolverError(
                f"The engine {solver.engine.name} gives no gradient to times; detach them, or use engine='rkbench'."
            )
    return solver.engine.solve(solver, f, y0, span, times)


def numbers(times: Sequence[Any]) -> tuple[float, ...]:
    """Return times, tensors or not, as numbers."""
    return tuple(float(time.detach() if hasattr(time, "detach") else time) for time in times)


def odeint(
    f: Callable[..., Any],
    y0: Tensor,
    t: Tensor | Sequence[float | Tensor],
    *,
    method: str | ButcherTableau = "dopri5",
    **options: Any,
) -> Tensor:
    """Integrate with torchdiffeq's calling convention: times in, states out.

    Args:
        f: ``f(t, y)``.
        y0: initial state, at ``t[0]``.
        t: one or more times, increasing or decreasing; a tensor, or tensors in a list, get their gradient.
        method: a registered name, or a tableau.
        options: any further option of `solve`.

    Returns:
        ``[len(t), *y0.shape]``.

    Raises:
        SolveError: the solve did not reach the last time; its ``solution`` holds what was reached.
        UserError: as for `solve`.
    """
    times = [x if getattr(x, "requires_grad", False) else float(x) for x in t]
    span = (times[0], times[-1]) if times else ()
    solution = solve(f, y0, span, method=method, t_eval=times, **options)
    return checked(solution).y


def checked(solution: Solution) -> Solution:
    """Return the solution, or raise `SolveError` when it failed."""
    if solution.status is not Status.OK:
        raise SolveError(solution, solution.sentence)
    return solution
