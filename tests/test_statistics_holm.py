"""Holm's correction, and how few pairs can claim nothing."""

import math

import numpy as np
import pytest

from rkbench.report import statistics


def test_p_values_are_corrected_step_by_step():
    # Four comparisons: 0.005 × 4, 0.01 × 3, 0.03 × 2, 0.04 × 1, none below the one before it.
    assert statistics.corrected([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_p_value_exceeds_one_and_ties_stay_tied():
    assert statistics.corrected([0.5, 0.9, 0.5]) == pytest.approx([1.0, 1.0, 1.0])
    assert statistics.corrected([0.01, 0.01]) == pytest.approx([0.02, 0.02])


def test_a_comparison_that_was_not_made_is_not_counted():
    found = statistics.corrected([0.02, math.nan, 0.5])
    assert found[[0, 2]] == pytest.approx([0.04, 0.5])
    assert math.isnan(found[1])


def test_no_comparison_needs_no_correction():
    assert statistics.corrected([]).size == 0
    assert statistics.corrected([0.03]) == pytest.approx([0.03])


def test_of_many_equal_solvers_even_one_is_rarely_claimed():
    generator = np.random.default_rng(0)
    claimed = [statistics.corrected(generator.uniform(size=7)).min() <= 0.05 for _ in range(4000)]
    assert np.mean(claimed) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(
    ("comparisons", "pairs"), [(1, 6), (2, 7), (3, 7), (4, 8), (7, 9), (24, 10), (100, 12)]
)
def test_the_fewest_pairs_are_those_whose_smallest_p_value_survives(comparisons, pairs):
    assert statistics.least_pairs(comparisons) == pairs
    same_sign = np.arange(1.0, pairs + 1)
    assert statistics.wilcoxon(same_sign) * comparisons <= statistics.ALPHA
    assert statistics.wilcoxon(same_sign[1:]) * comparisons > statistics.ALPHA


@pytest.mark.parametrize(("comparisons", "alpha"), [(0, 0.05), (1, 0.0), (1, 1.0), (1, math.nan)])
def test_a_senseless_question_is_refused(comparisons, alpha):
    with pytest.raises(ValueError, match="at least one comparison"):
        statistics.least_pairs(comparisons, alpha)
