"""The adaptive loop alone: with steps whose errors are made up, and with controllers that talk nonsense."""

import itertools
import math

import pytest
import torch

import rkbench
from rkbench import StepController
from rkbench.integrate.adaptive import AdaptiveSolve
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.output import Outputs
from rkbench.interface import make_solver


class Stub:
    """A stepper that adds h to the state and reports the next error of a script; the last one stays."""

    def __init__(self, errors):
        self.errors = itertools.chain(errors, itertools.repeat(errors[-1]))
        self.attempts = []

    def step(self, scheme, f, times, y, h, k):
        self.attempts.append((times[0].item(), y.item(), h))
        error = next(self.errors)
        # heun2's error estimate is h (k1 - k0) / 2, and the tolerance is 1.
        return y + h, {0: torch.zeros_like(y), 1: torch.full_like(y, 2 * error / abs(h))}


def solve(errors, span=(0.0, 1.0), times=None, **options):
    """Return the stub after a solve with those errors, and the solution."""
    stub = Stub(errors)
    y0 = torch.full((1,), span[0], dtype=torch.float64)
    solver = make_solver("heun2", rtol=0.0, atol=1.0, **options)
    f = Field(lambda t, y: torch.ones_like(y), y0, *span)
    outputs = Outputs(*span, times or (span[1],), y0)
    road = Road(stub.step, recomputed=lambda scheme, steps: 0)
    return stub, AdaptiveSolve(solver, f, y0, *span, outputs, road).run()


BUMPY = [0.5, 3.0, 0.9, 0.2, math.nan, 0.8, math.inf, 40.0, 0.1]


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0), (-2.0, 3.0)])
def test_a_rejected_step_leaves_no_trace_in_state_or_time(span):
    """The state is the time, if only accepted steps move both."""
    stub, solution = solve(BUMPY, span)
    assert solution.stats.rejected == 4
    assert all(t == pytest.approx(y, abs=1e-14) for t, y, _ in stub.attempts)
    assert solution.y.item() == pytest.approx(span[1], abs=1e-14)
    assert solution.t_reached == span[1]


def test_a_retry_is_smaller_and_no_step_grows_right_after_one():
    stub, _ = solve(BUMPY)
    h = [abs(h) for _, _, h in stub.attempts]
    for i, error in enumerate(BUMPY):
        if not error <= 1:
            assert h[i + 1] < h[i]
            if BUMPY[i + 1 : i + 2] and BUMPY[i + 1] <= 1:
                assert h[i + 2] <= h[i + 1]


def test_every_attempt_is_counted_as_accepted_or_rejected():
    stub, solution = solve(BUMPY)
    assert solution.stats.accepted + solution.stats.rejected == len(stub.attempts)
    assert solution.stats.accepted == len(solution.steps)
    assert math.fsum(solution.steps) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
def test_output_times_are_landed_on_exactly(span):
    times = tuple(sorted((0.3, 0.31, 0.9), reverse=span[1] < span[0]))
    _, solution = solve([0.1], span, times)
    assert solution.y[:, 0].tolist() == pytest.approx(list(times), abs=1e-14)


def test_errors_that_never_pass_end_as_step_underflow():
    _, solution = solve([2.0], (1.0, 2.0))
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    assert (solution.t_reached, solution.stats.accepted) == (1.0, 0)


def test_errors_that_stay_nan_end_as_non_finite():
    _, solution = solve([0.5, 0.5, math.nan], (1.0, 2.0))
    assert solution.status is rkbench.Status.NON_FINITE
    assert 1.0 < solution.t_reached < 2.0
    assert solution.y.isnan().all()


def test_errors_that_never_allow_growth_end_as_max_steps():
    _, solution = solve([1.0], (0.0, 1e6), max_steps=50)
    assert solution.status is rkbench.Status.MAX_STEPS
    assert solution.stats.accepted == 50


@pytest.mark.parametrize("proposal", [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, 1e-300])
def test_a_controller_that_talks_nonsense_cannot_make_a_solve_hang(proposal):
    controller = StepController("nonsense", propose=lambda errors, ratios, k: proposal)
    stub, solution = solve([0.5], controller=controller, max_steps=200)
    assert solution.status in (rkbench.Status.OK, rkbench.Status.STEP_UNDERFLOW, rkbench.Status.MAX_STEPS)
    assert len(stub.attempts) <= 200
    assert all(math.isfinite(h) and h > 0 for _, _, h in stub.attempts)
