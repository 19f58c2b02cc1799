"""A solve by diffrax as one function of arrays, ready to be compiled by JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import diffrax  # pyright: ignore[reportMissingImports]
import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

PROBES = 2
"""Evaluations of f to choose the first step, where the library chooses one."""

USERS_BUDGET = 4096
"""The library's own max_steps, from which it reckons how many states to set room aside for."""

USERS_CHECKPOINTS = 90
"""As many as that makes; a larger budget gets no more, or every solve would pay for steps that few take."""


@dataclass(frozen=True)
class Spec:
    """What a compiled solve is made of; shapes and times are its arguments.

    Attributes:
        function: f in JAX, ``function(t, y, *tensors)``.
        method: the library's name.
        gradient: ``checkpoint`` or ``backprop``.
        max_steps: the most steps.
        tolerances: (rtol, atol); None for steps on a grid.
        between: whether there are output times besides t0 and t1.
    """

    function: Callable[..., Any]
    method: str
    gradient: str
    max_steps: int
    tolerances: tuple[float, float] | None
    between: bool


def stages(method: str) -> tuple[int, bool]:
    """Return how many stages the library's method has, and whether the last is the first of the next step.

    It may be one more than ours: a last stage that an interpolation asks for.
    """
    tableau = getattr(getattr(diffrax, method), "tableau", None)
    return (tableau.num_stages, bool(tableau.fsal)) if tableau is not None else (1, False)  # Euler


@cache
def solve(spec: Spec) -> Callable[..., Any]:
    """Return (stops, grid, y0, *tensors) -> (states at the stops, (counts, time reached)).

    The counts are: evaluations to choose the first step; steps accepted; rejected; rejected before the first was
    accepted; whether t1 was reached; whether the solve was given up; whether the last error was finite.
    """

    def solved(stops: Any, grid: Any, y0: Any, *tensors: Any) -> Any:
        saveat = {"t0": True, "t1": True, "controller_state": True}
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, tensors: spec.function(t, y, *tensors)),
            getattr(diffrax, spec.method)(),
            stops[0],
            stops[-1],
            None,
            y0,
            tensors,
            saveat=diffrax.SaveAt(ts=stops[1:-1] if spec.between else None, **saveat),
            stepsize_controller=_controller(spec, grid),
            adjoint=_adjoint(spec),
            max_steps=spec.max_steps,
            throw=False,
        )
        probes, early, _, finite = solution.controller_state[1:] if spec.tolerances else (0, 0, True, True)
        results, result = diffrax.RESULTS, solution.result
        told = probes, solution.stats["num_accepted_steps"], solution.stats["num_rejected_steps"], early
        ended = result == results.successful, result == results.dt_min_reached, finite
        counts = jnp.stack([jnp.asarray(n, dtype=jnp.int32) for n in (*told, *ended)])
        return solution.ys, (counts, solution.ts[-1])

    return solved


def _adjoint(spec: Spec) -> Any:
    if spec.gradient == "backprop":
        return diffrax.DirectAdjoint()
    return diffrax.RecursiveCheckpointAdjoint(USERS_CHECKPOINTS if spec.max_steps > USERS_BUDGET else None)


def _controller(spec: Spec, grid: Any) -> Any:
    if spec.tolerances is None:
        return diffrax.StepTo(ts=grid)
    rtol, atol = spec.tolerances
    return Watched(rtol=rtol, atol=atol)


class Watched(diffrax.PIDController):
    """The library's controller; it also counts what the library does not tell, and gives up where t stands still.

    The state is that of the controller, with: evaluations of f to choose the first step; rejections before the first
    accepted step (until then, the library evaluates the first stage of an FSAL method anew); whether there was one;
    whether the last error was finite.
    """

    def init(
        self, terms: Any, t0: Any, t1: Any, y0: Any, dt0: Any, args: Any, func: Any, error_order: Any
    ) -> Any:
        """Return the end of the first step, and the state."""
        traced = []

        def noted(*given: Any) -> Any:
            traced.append(given)
            return func(*given)

        end, state = super().init(terms, t0, t1, y0, dt0, args, noted, error_order)
        probes = PROBES if traced else 0
        return end, (state, jnp.asarray(probes), jnp.asarray(0), jnp.asarray(False), jnp.asarray(True))

    def adapt_step_size(
        self, t0: Any, t1: Any, y0: Any, y1: Any, args: Any, error: Any, order: Any, state: Any
    ) -> Any:
        """Return whether the step is kept, the next one, and the state."""
        inner, probes, early, begun, _ = state
        kept, start, end, jump, inner, result = super().adapt_step_size(
            t0, t1, y0, y1, args, error, order, inner
        )
        early = early + (~kept & ~begun)
        finite = jnp.isfinite(error).all()  # the library has made NaN infinite
        resolution = 10 * (jnp.nextafter(jnp.abs(start), jnp.inf) - jnp.abs(start))
        lost = ~kept & ~(end - start > resolution)  # a NaN step is lost as well
        result = diffrax.RESULTS.where(lost, diffrax.RESULTS.dt_min_reached, result)
        return kept, start, end, jump, (inner, probes, early, begun | kept, finite), result
