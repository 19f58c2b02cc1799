"""Medians, paired ratios and their bootstrap intervals."""

import math

import pytest

from rkbench.report import statistics


@pytest.mark.parametrize(
    "values", [[3.0, 1.0], [5.0, 1.0, 3.0], [4.0, 2.0, 9.0, 7.0], [5.0, 1.0, 3.0, 2.0, 8.0]]
)
def test_with_two_to_five_seeds_the_interval_is_the_observed_range(values):
    assert statistics.median(values)[1:] == (min(values), max(values))


def test_with_many_seeds_the_interval_is_narrower_than_the_range_and_holds_the_median():
    middle, low, high = statistics.median([float(n) for n in range(30)])
    assert 0 < low < middle < high < 29
    assert (low, high) == pytest.approx((9.5, 19.5), abs=2)  # the ranks 10 and 20 of the binomial interval


def test_one_seed_has_a_median_and_no_interval():
    middle, low, high = statistics.median([3.0])
    assert middle == 3.0
    assert math.isnan(low)
    assert math.isnan(high)


def test_no_value_gives_nothing_rather_than_zero():
    assert all(map(math.isnan, statistics.median([float("nan")])))


def test_infinity_counts_as_the_largest_number_and_never_turns_into_nan():
    assert statistics.median([1.0, 2.0, math.inf]) == (2.0, 1.0, math.inf)
    assert statistics.median([1.0, math.inf, math.inf]) == (math.inf, 1.0, math.inf)


def test_the_same_numbers_give_the_same_interval():
    values = [float(n * n % 17) for n in range(20)]
    assert statistics.median(values) == statistics.median(values)


def test_a_ratio_is_taken_pair_by_pair():
    # The seeds differ tenfold, the solvers by a factor of two at every seed.
    assert statistics.ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == (2.0, 2.0, 2.0)


def test_a_pair_without_a_partner_is_left_out_of_a_ratio():
    assert statistics.ratio([2.0, math.nan, 6.0], [1.0, 1.0, 2.0])[0] == 2.5
