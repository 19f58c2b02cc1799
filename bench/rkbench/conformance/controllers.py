"""The promises of a step-size controller."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from rkbench.conformance.check import Check, Promise, Verdict, check_all
from rkbench.conformance.trials import run
from rkbench.controller import HISTORY, SMALLEST_ERROR, StepController
from rkbench.errors import SolverError
from rkbench.problem import InitialValueProblem
from rkbench.problems import PROBLEMS
from rkbench.registry import Registry, default
from rkbench.solution import Solution, Status

METHOD = "dopri5"
"""What controllers are tried with."""

ORDERS = (2, 5, 9)
"""Powers k of h to ask for."""

ERRORS = (SMALLEST_ERROR, 1e-6, 1e-2, 0.5, 1.0)
"""Error norms of accepted steps."""

MAX_STEPS = 2_000
"""Several times what any trial needs: a controller that gets stuck is not waited for."""

RATIOS = (1e-3, 0.2, 1.0, 10.0)
"""Ratios of successive steps."""


def _histories() -> list[tuple[list[float], list[float], int]]:
    """Return every combination of errors, ratios and k, for each length of the history."""
    found = []
    for length in range(1, HISTORY + 1):
        errors = itertools.product(ERRORS, repeat=length)
        ratios = itertools.product(RATIOS, repeat=length - 1)
        found += [(list(e), list(r), k) for e, r, k in itertools.product(errors, ratios, ORDERS)]
    return found


def _pure(controller: StepController, registry: Registry) -> Verdict:
    asked = _histories()
    first = [controller.factor(*history) for history in asked]
    second = [controller.factor(*history) for history in reversed(asked)][::-1]
    different = sum(a != b for a, b in zip(first, second, strict=True))
    return not different, f"{different} of {len(asked)} histories got another answer when asked again"


def _bounded(controller: StepController, registry: Registry) -> Verdict:
    factors = [controller.factor(*history) for history in _histories()]
    kept = all(controller.smallest <= factor <= controller.largest for factor in factors)
    return kept, f"factors lie in [{min(factors):.3g}, {max(factors):.3g}]"


def _shrinks(controller: StepController, registry: Registry) -> Verdict:
    errors = (math.nextafter(1.0, 2.0), 1.5, 10.0, 1e6, 1e300, math.inf, math.nan)
    factors = [controller.factor_after_rejection(error, k) for k in ORDERS for error in errors]
    kept = all(0 < controller.smallest <= factor < 1 for factor in factors)
    return kept, f"rejected steps are retried with [{min(factors):.3g}, {max(factors):.3g}] of their size"


def _grows(controller: StepController, registry: Registry) -> Verdict:
    least = min(controller.factor([1e-8] * HISTORY, [1.0] * (HISTORY - 1), k) for k in ORDERS)
    return least > 1, f"the step grows at least by {least:.3g} when errors are 1e-8 of the tolerance"


def _reaches(controller: StepController, registry: Registry) -> Verdict:
    seen, kept = [], True
    for name, tol in itertools.product(("coupled", "van_der_pol"), (1e-4, 1e-8)):
        problem = PROBLEMS[name]
        solution = _adaptive_run(problem, problem.f, controller, registry, tol)
        error = problem.error(solution.y[-1])
        kept &= solution.status is Status.OK and error < 100 * tol
        seen.append(f"{name} at {tol:.0e}: error {error:.1e} in {solution.stats.nfe} NFE")
    return kept, "; ".join(seen)


def _adaptive_run(
    problem: InitialValueProblem, f: Any, controller: StepController, registry: Registry, tol: float
) -> Solution:
    options = {"controller": controller, "rtol": tol, "atol": tol, "max_steps": MAX_STEPS}
    return run(METHOD, f, problem.initial(), problem.t_span, registry, **options)


def _survives_nan(controller: StepController, registry: Registry) -> Verdict:
    """Let f fail once, in the middle of a step; the step must be rejected and the solve go on."""
    problem, calls = PROBLEMS["coupled"], itertools.count()

    def f(t: Tensor, y: Tensor) -> Tensor:
        return torch.full_like(y, math.nan) if next(calls) == 10 else problem.f(t, y)

    solution = _adaptive_run(problem, f, controller, registry, 1e-6)
    kept = (
        solution.status is Status.OK and solution.stats.rejected >= 1 and problem.error(solution.y[-1]) < 1e-4
    )
    return kept, f"{solution.stats.rejected} rejected; {solution.sentence}"


def _without_errors(controller: StepController, registry: Registry) -> Verdict:
    """A controller that looks at no errors either takes the steps it is asked for, or says what it lacks."""
    problem = PROBLEMS["coupled"]
    try:
        solution = run(
            METHOD, problem.f, problem.initial(), problem.t_span, registry, controller=controller, steps=20
        )
    except SolverError as refusal:
        return True, str(refusal)
    even = len(solution.steps) == 20 and max(solution.steps) - min(solution.steps) < 1e-12
    return even and problem.error(
        solution.y[-1]
    ) < 1e-5, f"took {len(solution.steps)} steps of the 20 asked for"


def _adaptive(controller: Any) -> bool:
    return controller.adaptive


CONTROLLER_PROMISES = (
    Promise("same history, same answer", _pure, _adaptive),
    Promise("stays within its limits", _bounded, _adaptive),
    Promise("shrinks after a rejection", _shrinks, _adaptive),
    Promise("grows when errors are tiny", _grows, _adaptive),
    Promise("reaches t1 near the tolerance", _reaches, _adaptive),
    Promise("rejects NaN and goes on", _survives_nan, _adaptive),
    Promise("takes the steps it is given", _without_errors, lambda controller: not controller.adaptive),
)


def check_controller(controller: StepController, registry: Registry | None = None) -> list[Check]:
    """Return one check per promise; the method it is tried with comes from ``registry``."""
    return check_all(CONTROLLER_PROMISES, controller, registry or default())
