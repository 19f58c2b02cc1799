"""ODEBlock: a layer whose output is the solution of an initial value problem that starts at its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from rkbench.errors import SolveError, SolverError
from rkbench.interface import make_solver, numbers, solved
from rkbench.solution import Solution, Stats, Status
from rkbench.solver import Solver
from rkbench.tableau import ButcherTableau


class ODEBlock(nn.Module):
    """x -> y(t1), where y' = f(t, y) and y(t0) = x (Chen et al. 2018, arXiv:1806.07366).

    Args:
        f: ``f(t, y)``, like y; a module's parameters are found and trained.
        method: a registered name, or a tableau.
        t_span: (t0, t1): numbers, or tensors; a parameter among them is trained.
        solver: a whole solver, instead of ``method`` and ``options``.
        options: steps, rtol, atol, controller, engine, norm, … as for `rkbench.solve`.

    Attributes:
        last_stats: what the last call cost; all zero before the first.
        last_steps: the accepted signed step sizes of the last call.
        last_retries: how many tries were rejected before each of them, where the engine tells.

    Raises:
        UserError: options that do not fit together.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        method: str | ButcherTableau = "dopri5",
        *,
        t_span: Sequence[float | Tensor] = (0.0, 1.0),
        solver: Solver | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.f = f
        if solver is not None and options:
            raise SolverError(
                f"A whole solver was given, so {', '.join(options)} would be ignored; drop one or the other."
            )
        self.solver = solver if solver is not None else make_solver(method, **options)
        self.t_span = tuple(t_span)
        for name, time in zip(("t0", "t1"), self.t_span, strict=False):
            if isinstance(time, nn.Parameter):
                self.register_parameter(name, time)
        self.last_stats = Stats()
        self.last_steps: tuple[float, ...] = ()
        self.last_retries: tuple[int, ...] = ()

    def forward(
        self,
        x: Tensor,
        t_span: Sequence[float | Tensor] | None = None,
        t_eval: Sequence[float | Tensor] | None = None,
    ) -> Tensor:
        """Return y(t1), shaped like ``x``; or with output times ``[len(t_eval), *x.shape]``.

        Args:
            x: y(t0).
            t_span: instead of the block's own, for this call; see `rkbench.solve`.
            t_eval: output times.

        Raises:
            SolveError: an adaptive solve did not reach t1. (Equal steps always do; whether the state is finite
                is not looked at, because looking waits for the device.)
        """
        span = self.t_span if t_span is None else tuple(t_span)
        solution: Solution = solved(self.solver, self.f, x, span, span[-1:] if t_eval is None else t_eval)
        self.last_stats = solution.stats
        self.last_steps, self.last_retries = solution.steps, solution.retries
        if solution.ended is not Status.OK:
            raise SolveError(solution, solution.sentence)
        return solution.y if t_eval is not None else solution.y.squeeze(0)

    def extra_repr(self) -> str:
        """Return what ``print`` adds to the layer's name."""
        solver = self.solver
        cost = f"rtol={solver.rtol:g}, atol={solver.atol:g}" if solver.adaptive else f"steps={solver.steps}"
        return f"method={solver.method.name}, {cost}, t_span={numbers(self.t_span)}"
