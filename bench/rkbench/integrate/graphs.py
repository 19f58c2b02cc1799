"""Graphs of one solve: made by torch.compile when they are met first, and found again afterwards.

There is one for each f, scheme, number of steps, shape and dtype.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import FunctionType
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._dynamo import exc

from rkbench.errors import SolverError
from rkbench.integrate.field import Field
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.traced import Run, begin, run
from rkbench.solver import Solver

T = TypeVar("T")

LARGEST = 64
"""Evaluations of f in one graph, about; compiling takes time in proportion."""


class Graphs:
    """The right-hand side of one solve, compiled into starts and runs of steps.

    Raises:
        SolverError: f cannot be compiled.
    """

    def __init__(self, solver: Solver, scheme: Scheme, f: Field) -> None:
        self._solver, self._scheme, self._f = solver, scheme, f
        kind = (
            type(f.bare) if isinstance(f.bare, torch.nn.Module) else getattr(f.bare, "__code__", type(f.bare))
        )
        tolerances = (solver.rtol, solver.atol, solver.norm) if scheme.error else ()
        self._signature = (scheme, kind, tolerances)

    def begin(self, y: Tensor, t0: float, t1: float, target: float) -> tuple[Tensor, float, Run | None]:
        """Return f(t0, y), the signed first step, and the outcome of trying it, cut at ``target``.

        The step is not counted yet. With a slope that is not finite there is none, and its evaluations go with it.
        """
        ends = torch.tensor((t0, t1, target), dtype=torch.float64, device=y.device).unbind()
        f0, step, known = self._call(begin, y, (self._solver, self._scheme, self._f.bare, y, *ends))
        self._f.count(2)
        norm, h = known.tolist()
        if math.isfinite(norm):
            return f0, h, step
        self._f.count(self.evaluations(self._scheme.starts_at_t))
        return f0, math.nan, None

    def evaluations(self, first_known: bool, steps: int = 1) -> int:
        """Return how often steps evaluate f."""
        return steps * len(self._scheme.stages) - first_known - (steps - 1) * self._scheme.fsal

    def run(self, y: Tensor, first: Tensor | None, times: Sequence[float]) -> Run:
        """Take the steps between ``times`` from ``y``, where the slope may be known."""
        stages = self._scheme.stages
        steps = list(itertools.pairwise(times))
        rows = [[*self._f.inside([t + c * (end - t) for _, c, _ in stages]), end - t] for t, end in steps]
        clock = torch.tensor(rows, dtype=torch.float64, device=y.device)
        self._f.count(self.evaluations(first is not None, len(rows)))
        return self._call(
            run, y, (self._solver, self._scheme, self._f.bare, y, first, clock), len(rows), first is None
        )

    def _call(self, function: Callable[..., T], y: Tensor, inputs: tuple, *more: Any) -> T:
        signature = (
            self._signature,
            y.shape,
            y.dtype,
            y.device,
            torch.is_grad_enabled(),
            y.requires_grad,
            *more,
        )
        made = (function, signature, y.device.type)
        try:
            return _graph(*made)(*inputs)
        except exc.FailOnRecompileLimitHit:
            # torch keeps a few graphs for one signature, and as many functions of one kind were seen: begin anew.
            _graph.cache_clear()
            return _graph(*made)(*inputs)
        except exc.TorchDynamoException as error:
            function(*inputs)  # what is wrong with f itself says so here
            raise SolverError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    """Return what kept torch from compiling, without the rest of its report."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"f cannot be compiled as one graph ({first.rstrip('.')}); mend f, or drop compile=True."


@lru_cache(maxsize=256)
def _graph(function: FunctionType, signature: tuple, device: str) -> Callable[..., Any]:
    """Return a compiled ``function`` for ``signature`` alone.

    torch counts graphs by code object, so each signature gets a copy of the code. On a CPU tensors keep the layout that
    they have: putting those of a convolution into another and back made it take 1.25 times as long.
    """
    own = FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    options: dict[str, Any] = {"layout_optimization": device != "cpu"}
    return torch.compile(own, fullgraph=True, dynamic=False, options=options)
