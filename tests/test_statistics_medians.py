"""The median of one group and its interval between two of its numbers."""

import math

import numpy as np
import pytest
from scipy import stats

from rkbench.report import statistics


@pytest.mark.parametrize(
    "values", [[3.0, 1.0], [5.0, 1.0, 3.0], [4.0, 2.0, 9.0, 7.0], [5.0, 1.0, 3.0, 2.0, 8.0]]
)
def test_with_two_to_five_seeds_the_interval_is_the_observed_range(values):
    assert statistics.median(values)[1:] == (min(values), max(values))


@pytest.mark.parametrize("n", [2, 3, 6, 9, 10, 30, 101])
def test_the_interval_is_the_one_that_scipy_finds_by_inverting_the_sign_test(n):
    values = np.random.default_rng(n).normal(size=n)
    peer = stats.quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    found = statistics.median(values)
    if n >= 6:  # below, scipy gives NaN, since no interval reaches 95 %
        assert found[1:] == (peer.low, peer.high)
    assert found.median == np.median(values)


@pytest.mark.parametrize(
    ("n", "share"), [(1, 0.0), (2, 0.5), (3, 0.75), (5, 0.9375), (6, 0.96875), (10, 0.978515625)]
)
def test_the_coverage_is_told_as_the_binomial_distribution_gives_it(n, share):
    assert statistics.coverage(n) == share


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_as_often_as_it_says_whatever_the_distribution(n):
    generator = np.random.default_rng(n)
    skewed = generator.exponential(size=(4000, n)) - math.log(2)
    held = [found.low <= 0 <= found.high for found in map(statistics.median, skewed)]
    assert np.mean(held) == pytest.approx(statistics.coverage(n), abs=0.02)


def test_one_seed_has_a_median_and_no_interval():
    middle, low, high = statistics.median([3.0])
    assert middle == 3.0
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize("nothing", [[], [math.nan]])
def test_no_value_gives_nothing_rather_than_zero(nothing):
    assert all(map(math.isnan, statistics.median(nothing)))


def test_infinity_counts_as_the_largest_number_and_never_turns_into_nan():
    assert statistics.median([1.0, 2.0, math.inf]) == (2.0, 1.0, math.inf)
    assert statistics.median([1.0, math.inf, math.inf]) == (math.inf, 1.0, math.inf)
    assert statistics.median([-math.inf, math.inf]) == (math.inf, -math.inf, math.inf)


def test_the_order_of_the_numbers_does_not_matter():
    values = [float(n * n % 17) for n in range(20)]
    assert statistics.median(values) == statistics.median(values[::-1])
