"""Step-size controllers: their formulas, their limits, and what no history may do to them."""

import dataclasses
import math
from typing import Any

import pytest

from rkbench import registry
from rkbench.controller import FIXED, HISTORY, REPLAY, SMALLEST_ERROR, StepController, digital_filter, replay
from rkbench.errors import SolverError

CONTROLLERS = registry.default().controllers
ADAPTIVE = {name: controller for name, controller in CONTROLLERS.items() if controller.adaptive}
E0, E1, E2 = 0.5, 0.2, 0.9
R0, R1 = 1.25, 0.8
K = 5

# h_new / h before the safety factor, written out as the sources print it.
FORMULAS = {
    "i": E0 ** (-1 / K),
    "pi": E0 ** (-0.7 / K) * E1 ** (0.4 / K),
    "pi_dopri5": E0 ** -(1 / K - 0.03) * E1**0.04,
    "pi42": E0 ** (-3 / 5 / K) * E1 ** (1 / 5 / K),
    "h211b": (E0 * E1) ** (-1 / 4 / K) * R0 ** (-1 / 4),
    "h211pi": (E0 * E1) ** (-1 / 6 / K),
    "h312pid": E0 ** (-1 / 18 / K) * E1 ** (-1 / 9 / K) * E2 ** (-1 / 18 / K),
}


def test_the_built_in_controllers_are_these():
    assert set(CONTROLLERS) == {*FORMULAS, "fixed", "replay"}
    assert set(ADAPTIVE) == set(FORMULAS)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_controller_computes_the_formula_of_its_source(name):
    factor = ADAPTIVE[name].factor([E0, E1, E2], [R0, R1], K)
    assert factor == pytest.approx(0.9 * FORMULAS[name], rel=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_an_error_at_the_tolerance_for_long_asks_for_a_step_shorter_by_the_safety_factor(name):
    assert ADAPTIVE[name].factor([1.0] * HISTORY, [1.0] * (HISTORY - 1), K) == pytest.approx(0.9)


def test_history_that_is_missing_counts_as_one():
    filtered = digital_filter("x", beta=(1 / 4, 1 / 4), alpha=(1 / 4,))
    assert filtered.factor([E0], [], K) == filtered.factor([E0, 1.0, 1.0], [1.0, 1.0], K)


def test_the_controller_of_dopri5_starts_from_a_small_past_error():
    pi_dopri5 = ADAPTIVE["pi_dopri5"]
    assert pi_dopri5.factor([E0], [], K) == pi_dopri5.factor([E0, 1e-4], [1.0], K)
    assert pi_dopri5.factor([E0, 1e-9], [1.0], K) == pi_dopri5.factor([E0, 1e-4], [1.0], K)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("k", [2, 5, 9])
def test_an_exact_step_never_asks_for_more_than_the_largest_factor(name, k):
    assert 1 < ADAPTIVE[name].factor([SMALLEST_ERROR] * 3, [1.0, 1.0], k) <= 10.0


@pytest.mark.parametrize("proposal", [math.nan, -1.0, 0.0, -math.inf])
def test_a_proposal_that_makes_no_sense_gives_the_smallest_factor(proposal):
    controller = StepController("x", propose=lambda errors, ratios, k: proposal)
    assert controller.factor([0.5], [], 5) == 0.2


def test_an_infinite_proposal_gives_the_largest_factor():
    assert StepController("x", propose=lambda errors, ratios, k: math.inf).factor([0.5], [], 5) == 10.0


@pytest.mark.parametrize(
    ("error", "factor"),
    [(2.0, 0.9 * 2 ** (-1 / 5)), (1e9, 0.2), (math.inf, 0.2), (math.nan, 0.2), (1.0 + 1e-15, 0.9)],
)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_rejected_step_is_retried_by_the_elementary_rule(name, error, factor):
    assert ADAPTIVE[name].factor_after_rejection(error, 5) == pytest.approx(factor)


def test_a_lone_step_that_is_refused_shrinks_by_the_safety_factor_at_least():
    """Even where the norm that refused it is smaller than 1, as a plugin's own norm may be."""
    assert ADAPTIVE["i"].factor_after_rejection(1e-3, 5) == 0.9


@pytest.mark.parametrize(
    "limits",
    [
        {"safety": 0.0},
        {"safety": 1.0},
        {"safety": math.nan},
        {"smallest": 0.0},
        {"smallest": 1.0},
        {"smallest": -0.2},
        {"largest": 0.5},
        {"largest": math.nan},
    ],
    ids=str,
)
def test_limits_that_let_a_rejected_step_grow_are_refused(limits):
    with pytest.raises(SolverError, match="mine: safety = .* so that a rejected step shrinks"):
        StepController("mine", **limits)


def test_fixed_and_replay_look_at_no_errors():
    assert not FIXED.adaptive
    assert not REPLAY.adaptive
    assert REPLAY.prescribed is None


def test_replay_takes_the_steps_it_is_given():
    assert replay([0.1, 0.2]).prescribed == (0.1, 0.2)
    assert replay([0.1, 0.2]).name == "replay"


@pytest.mark.parametrize("steps", [[], [0.1, 0.0], [math.nan], [0.1, math.inf]], ids=str)
def test_replay_of_no_steps_or_of_steps_that_lead_nowhere_is_refused(steps):
    with pytest.raises(SolverError, match="replay needs at least one step, each finite and not 0"):
        replay(steps)


def test_a_controller_cannot_be_changed():
    pi: Any = ADAPTIVE["pi"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        pi.safety = 0.5


@pytest.mark.parametrize("name", FORMULAS)
def test_every_adaptive_controller_has_a_source(name):
    assert ADAPTIVE[name].source is not None
