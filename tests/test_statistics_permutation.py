"""Exact tests of paired differences: against counts by hand, and against scipy."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rkbench.report import statistics
from rkbench.report.statistics import permutation


def test_all_differences_of_one_sign_give_the_smallest_p_value():
    assert statistics.sign_flip([1.0, 2.0, 3.0, 4.0, 5.0]) == 2 / 2**5
    assert statistics.wilcoxon([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]) == 2 / 2**6


def test_the_share_of_flips_is_counted_out():
    # Fisher's data of Darwin's maize: 15 pairs, of whose 32 768 sign patterns 1 726 give as large a sum.
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert statistics.sign_flip(differences) == 1726 / 32768


def test_flips_are_counted_as_by_brute_force():
    values = np.random.default_rng(1).normal(0.4, 1, size=9)
    sums = [abs(np.dot(signs, values)) for signs in itertools.product((-1, 1), repeat=9)]
    assert statistics.sign_flip(values) == np.mean(np.array(sums) >= abs(values.sum()) - 1e-12)


@pytest.mark.parametrize("n", [5, 8, 13, 16])
def test_the_signed_ranks_give_the_p_value_of_scipy(n):
    values = np.random.default_rng(n).normal(0.5, 1, size=n)
    assert statistics.wilcoxon(values) == pytest.approx(stats.wilcoxon(values, mode="exact").pvalue)


@pytest.mark.parametrize("n", [17, 24, 60])
def test_signed_ranks_stay_exact_with_many_pairs(n):
    values = np.random.default_rng(n).normal(0.3, 1, size=n)
    assert statistics.wilcoxon(values) == pytest.approx(stats.wilcoxon(values, mode="exact").pvalue)


def test_many_ties_are_counted_as_few_are():
    tied = np.random.default_rng(0).integers(-3, 6, size=14).astype(float)
    flips = permutation._tails(tuple(sorted(abs(one) for one in signed_ranks(tied) if one)))
    assert flips[abs(sum(signed_ranks(tied)))] == pytest.approx(statistics.wilcoxon(tied))


def signed_ranks(values):
    """Return signed ranks, twice."""
    return [
        int(sign * rank) for sign, rank in zip(np.sign(values), 2 * stats.rankdata(abs(values)), strict=True)
    ]


def test_above_sixteen_pairs_drawn_flips_come_close_to_all_of_them():
    ranks = np.arange(1.0, 25) * np.sign(np.random.default_rng(2).normal(0.4, 1, size=24))
    assert statistics.sign_flip(ranks) == pytest.approx(statistics.wilcoxon(ranks), abs=0.01)
    assert statistics.sign_flip(ranks) == statistics.sign_flip(ranks)


def test_drawn_flips_never_give_a_p_value_of_zero():
    assert statistics.sign_flip(np.ones(60)) == 1 / 20_000


def test_tied_differences_share_their_ranks_and_zeros_have_no_sign():
    # Ranks 1 (zero, no sign), 2.5, 2.5 and 4: the sum 9 is reached by all plus or all minus, of 16 patterns 4.
    assert statistics.wilcoxon([0.0, 1.0, 1.0, 2.0]) == 4 / 16
    assert statistics.wilcoxon([0.0, 0.0, 0.0]) == 1.0


def test_an_outlier_counts_by_its_rank_only():
    calm = [-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert statistics.wilcoxon([*calm[:-1], 800.0]) == statistics.wilcoxon(calm)
    assert statistics.wilcoxon([*calm[:-1], math.inf]) == statistics.wilcoxon(calm)


def test_an_infinite_difference_outweighs_all_finite_ones():
    assert statistics.sign_flip([math.inf, -1.0, -2.0]) == 1.0
    assert statistics.sign_flip([math.inf, math.inf, 1.0]) == 2 / 8
    assert statistics.sign_flip([math.inf, -math.inf]) == 1.0


@pytest.mark.parametrize("test", [statistics.sign_flip, statistics.wilcoxon])
def test_without_a_pair_nothing_speaks_against_equality(test):
    assert test([]) == 1.0
    assert test([math.nan]) == 1.0
    assert test([3.0]) == 1.0


@pytest.mark.parametrize("test", [statistics.sign_flip, statistics.wilcoxon])
def test_equal_solvers_are_told_apart_no_more_often_than_the_level_says(test):
    p = [test(values) for values in np.random.default_rng(0).normal(size=(2000, 8))]
    assert np.mean(np.array(p) <= 0.05) < 0.06
