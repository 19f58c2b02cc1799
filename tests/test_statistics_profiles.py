"""Performance profiles of Dolan and Moré."""

import math

import numpy as np
import pytest

from rkbench.report import statistics


def test_shares_are_counted_within_each_factor_of_the_best():
    found = statistics.performance_profile([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]])
    assert found.factors == pytest.approx([1, 2, 3])
    assert found.shares == pytest.approx(np.array([[2, 2], [2, 3], [3, 3]]) / 3)


@pytest.mark.parametrize("failure", [math.inf, math.nan])
def test_a_failure_is_never_within_any_factor(failure):
    found = statistics.performance_profile([[1.0, failure], [failure, 1.0], [4.0, 1.0]])
    assert found.factors == pytest.approx([1, 4])
    assert found.shares[-1] == pytest.approx([2 / 3, 2 / 3])


def test_a_problem_that_nobody_solved_stays_in_the_denominator():
    found = statistics.performance_profile([[1.0, 1.0], [math.inf, math.inf]])
    assert found.shares.tolist() == [[0.5, 0.5]]


def test_the_scale_of_a_problem_does_not_matter():
    costs = np.random.default_rng(0).uniform(1, 5, size=(20, 3))
    scaled = costs * 10.0 ** np.arange(20)[:, None]
    assert statistics.performance_profile(scaled).shares == pytest.approx(
        statistics.performance_profile(costs).shares
    )


def test_without_a_problem_nothing_is_solved():
    found = statistics.performance_profile(np.empty((0, 2)))
    assert (found.factors.tolist(), found.shares.tolist()) == ([1.0], [[0.0, 0.0]])


@pytest.mark.parametrize("costs", [[[0.0, 1.0]], [[-1.0, 1.0]], [1.0, 2.0]])
def test_costs_that_have_no_ratio_are_refused(costs):
    with pytest.raises(ValueError, match="positive costs"):
        statistics.performance_profile(costs)
