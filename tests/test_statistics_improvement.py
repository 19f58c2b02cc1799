"""How often a run of one solver costs less than a run of another."""

import math

import numpy as np
import pytest
from scipy import stats

from rkbench.report import statistics


def test_it_is_the_statistic_of_mann_and_whitney_over_all_pairs():
    one, other = np.random.default_rng(0).normal([[0.0], [0.5]], size=(2, 8))
    u = stats.mannwhitneyu(other, one).statistic
    assert statistics.probability_of_improvement([(one, other)]).median == pytest.approx(u / 64)


def test_ties_count_half_and_failures_tie_with_failures():
    assert statistics.probability_of_improvement([([1.0, 2.0], [2.0, 2.0])]).median == 0.75
    assert statistics.probability_of_improvement([([math.inf], [math.inf])]).median == 0.5
    assert statistics.probability_of_improvement([([1.0], [math.inf])]).median == 1.0


def test_tasks_are_averaged_however_many_runs_they_have():
    tasks = [([1.0] * 10, [2.0] * 10), ([2.0], [1.0])]
    assert statistics.probability_of_improvement(tasks).median == 0.5


def test_the_interval_holds_the_estimate_and_stays_between_nothing_and_one():
    one, other = np.random.default_rng(1).normal([[0.0], [1.0]], size=(2, 10))
    middle, low, high = statistics.probability_of_improvement([(one, other)])
    assert 0 <= low < middle < high <= 1


def test_a_solver_that_always_wins_leaves_no_doubt_about_these_runs():
    assert statistics.probability_of_improvement([([1.0, 1.1], [2.0, 2.1])]) == (1.0, 1.0, 1.0)


def test_a_task_that_lacks_one_of_the_two_is_left_out():
    assert statistics.probability_of_improvement([([1.0], [math.nan]), ([1.0], [2.0])]).median == 1.0
    assert all(map(math.isnan, statistics.probability_of_improvement([([], [1.0])])))
