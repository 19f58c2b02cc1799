"""Observed order and the slope of work and precision."""

import math

import numpy as np
import pytest
from scipy import stats

from rkbench.report import statistics

STEPS = np.array([10, 20, 40, 80, 160])


def test_errors_of_a_pure_power_give_its_order_and_no_uncertainty():
    found = statistics.observed_order(STEPS, 3.0 * STEPS**-4.0)
    assert (found.slope, found.error, found.low, found.high) == pytest.approx((4, 0, 4, 4), abs=1e-9)


def test_the_slope_and_its_error_are_those_of_linear_regression():
    errors = STEPS**-2.0 * np.exp(np.random.default_rng(0).normal(0, 0.2, size=5))
    found, peer = statistics.precision_slope(STEPS, errors), stats.linregress(np.log(STEPS), -np.log(errors))
    assert (found.slope, found.error) == pytest.approx((peer.slope, peer.stderr))
    assert found.high - found.slope == pytest.approx(peer.stderr * stats.t.ppf(0.975, 3))


def test_rungs_at_round_off_do_not_flatten_the_line():
    errors = np.array([1e-6, 1e-10, 1e-14, 3e-14, 2e-14])
    assert statistics.observed_order(10.0 ** np.arange(5), errors) == pytest.approx(
        (4, math.nan, math.nan, math.nan, 2), nan_ok=True
    )


def test_a_line_that_turns_back_up_ends_where_the_error_is_smallest():
    errors = np.array([1e-2, 1e-4, 1e-6, 1e-8, 4e-8])
    assert statistics.observed_order(STEPS, errors, round_off=1e-12).rungs == 4


def test_failed_rungs_are_left_out():
    errors = 3.0 * STEPS**-3.0
    errors[0], errors[2] = math.inf, math.nan
    assert statistics.observed_order(STEPS, errors)[::4] == pytest.approx((3, 3))


@pytest.mark.parametrize(
    ("steps", "errors"), [([], []), ([10], [1e-3]), ([10, 10], [1e-3, 2e-3]), ([10, 20], [0, 0])]
)
def test_too_few_rungs_have_no_slope(steps, errors):
    assert math.isnan(statistics.observed_order(steps, errors).slope)


def test_the_rungs_may_come_in_any_order():
    errors = 2.0 * STEPS**-1.5
    assert statistics.observed_order(STEPS[::-1], errors[::-1]).slope == pytest.approx(1.5)
