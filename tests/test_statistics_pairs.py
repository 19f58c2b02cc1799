"""Paired ratios and differences, and the interval of the signed-rank test."""

import math

import numpy as np
import pytest

from rkbench.report import statistics


def test_a_ratio_is_taken_pair_by_pair():
    # The seeds differ tenfold, the solvers by a factor of two at every seed.
    assert statistics.ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == (2.0, 2.0, 2.0)


def test_the_estimate_of_hodges_and_lehmann_agrees_with_a_hand_count():
    # Averages of two of 0, 1 and 5: 0, 0.5, 1, 2.5, 3, 5.
    assert statistics.difference([0.0, 1.0, 5.0], [0.0, 0.0, 0.0]) == (1.75, 0.0, 5.0)


def test_the_interval_of_depression_scores_is_the_textbooks():
    # Hollander, Wolfe & Chicken, example 3.1: nine patients before and after; the 96 % interval is -0.786 to -0.010 and
    # the estimate -0.46.
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    assert statistics.difference(after, before) == pytest.approx((-0.46, -0.786, -0.010), abs=1e-9)


def test_the_interval_holds_exactly_the_shifts_that_the_test_does_not_reject():
    differences = np.random.default_rng(3).normal(0.5, 1, size=11)
    found = statistics.difference(differences, np.zeros(11))
    for end, inwards in ((found.low, 1e-9), (found.high, -1e-9)):
        assert statistics.wilcoxon(differences - end - inwards) > 0.05
        assert statistics.wilcoxon(differences - end + inwards) <= 0.05


@pytest.mark.parametrize(("n", "share"), [(3, 0.75), (5, 0.9375), (10, 0.951)])
def test_the_interval_of_a_difference_covers_as_often_as_its_page_says(n, share):
    generator = np.random.default_rng(n)
    one, other = generator.exponential(size=(2, 4000, n))
    held = [found.low <= 0 <= found.high for found in map(statistics.difference, one, other)]
    assert np.mean(held) == pytest.approx(share, abs=0.02)


def test_beyond_a_hundred_pairs_the_interval_goes_on_as_before():
    differences = np.random.default_rng(0).normal(size=101)
    exact, normal = (statistics.difference(differences[:n], np.zeros(n)) for n in (100, 101))
    assert normal == pytest.approx(exact, abs=0.02)


def test_a_ratio_and_its_inverse_say_the_same():
    above, below = np.random.default_rng(1).lognormal(size=(2, 9))
    one, other = statistics.ratio(above, below), statistics.ratio(below, above)
    assert (1 / one.median, 1 / one.high, 1 / one.low) == pytest.approx(tuple(other))


@pytest.mark.parametrize("spoilt", [(math.nan, 1.0), (1.0, math.nan), (1.0, 0.0), (math.inf, math.inf)])
def test_a_pair_that_gives_no_ratio_is_left_out(spoilt):
    assert statistics.ratio([2.0, spoilt[0], 8.0], [1.0, spoilt[1], 1.0]).median == pytest.approx(4)


def test_an_infinite_time_counts_as_the_largest_ratio():
    assert statistics.ratio([1.0, 1.0, math.inf], [1.0, 1.0, 1.0]) == (math.inf, 1.0, math.inf)
    assert statistics.ratio([0.0, math.inf], [1.0, 1.0]) == (math.inf, 0.0, math.inf)


def test_differences_of_infinities_are_left_out_where_unknown():
    assert statistics.difference([math.inf, 3.0], [math.inf, 1.0]).median == 2.0
    assert statistics.difference([math.inf, -math.inf], [0.0, 0.0]).median == math.inf


def test_no_pair_gives_nothing_and_one_pair_no_interval():
    assert all(map(math.isnan, statistics.ratio([], [])))
    middle, low, high = statistics.difference([3.0], [1.0])
    assert (middle, math.isnan(low), math.isnan(high)) == (2.0, True, True)
