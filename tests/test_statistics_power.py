"""How many pairs it takes to find a difference."""

import math

import numpy as np
import pytest

from rkbench.report import statistics

LARGE = [np.random.default_rng(0).normal(0, 0.05, size=4000)]
"""A scatter of 5 % that is known for certain."""


def found(n, effect, comparisons=1, runs=400):
    """Return the share of runs whose test reaches the level and whose estimate exceeds the resolution of n pairs."""
    generator, nothing = np.random.default_rng(1), np.zeros(n)
    claimed = []
    for _ in range(runs):
        logs = generator.normal(math.log1p(effect), 0.05, n)
        twice = statistics.difference(generator.normal(0, 0.05, n), nothing)
        exceeds = statistics.difference(logs, nothing).median > max(abs(twice.low), abs(twice.high))
        claimed.append(exceeds and statistics.wilcoxon(logs) <= statistics.ALPHA / comparisons)
    return np.mean(claimed)


def test_a_scatter_that_is_known_gives_the_number_worked_out_by_hand():
    # (1.960 + 1.414 × 1.954)² × (0.05 / log 1.05)² = 23.4, × π/3 for Wilcoxon's test, × 1.04 for the scatter of 4000
    # pairs taken at its limit, and two or three more for Student's quantiles.
    assert 26 <= statistics.pairs_needed(LARGE, 0.05) <= 29


@pytest.mark.parametrize(("effect", "comparisons"), [(0.1, 1), (0.05, 1), (0.03, 1), (0.05, 6), (0.05, 200)])
def test_the_pairs_recommended_find_the_difference_as_often_as_promised(effect, comparisons):
    n = statistics.pairs_needed(LARGE, effect, comparisons)
    assert 0.93 <= found(n, effect, comparisons) <= 0.995


def test_half_the_pairs_would_not_do():
    assert found(statistics.pairs_needed(LARGE, 0.03) // 2, 0.03) < 0.85


@pytest.mark.parametrize("comparisons", [1, 7])
def test_however_quiet_the_machine_no_fewer_are_recommended_than_can_give_a_verdict(comparisons):
    quiet = [np.array([0.0, 1e-9, 2e-9])]
    assert statistics.pairs_needed(quiet, 0.5, comparisons) == statistics.least_pairs(comparisons)


def test_a_scatter_known_from_few_pairs_is_taken_for_larger_than_it_looks():
    few, many = ([np.tile([-0.05, 0.05], n)] for n in (2, 200))
    assert statistics.pairs_needed(few, 0.05) > statistics.pairs_needed(many, 0.05)


def test_what_shifts_a_whole_comparison_is_no_scatter():
    shifted = [np.array([0.1, 0.11, 0.09]), np.array([2.1, 2.11, 2.09])]
    assert statistics.pairs_needed(shifted, 0.1) == statistics.pairs_needed(
        [one - one.mean() for one in shifted], 0.1
    )


@pytest.mark.parametrize(
    "nothing", [[], [np.array([])], [np.array([0.1])], [np.array([0.1, math.nan, math.inf])]]
)
def test_without_two_pairs_no_scatter_is_known(nothing):
    assert statistics.pairs_needed(nothing, 0.1) is None


@pytest.mark.parametrize(("effect", "comparisons"), [(0.0, 1), (-0.1, 1), (math.nan, 1), (0.1, 0)])
def test_a_senseless_question_is_refused(effect, comparisons):
    with pytest.raises(ValueError, match="give"):
        statistics.pairs_needed(LARGE, effect, comparisons)
