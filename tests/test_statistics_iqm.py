"""The interquartile mean over tasks, and its stratified bootstrap."""

import math

import numpy as np
import pytest
from scipy import stats

from rkbench.report import statistics


def test_the_middle_half_of_all_runs_is_averaged():
    # 1 … 8: without 1, 2 and 7, 8.
    assert statistics.interquartile_mean([[1.0, 5.0, 2.0, 8.0], [7.0, 3.0, 6.0, 4.0]]).median == 4.5


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 27])
def test_it_is_the_trimmed_mean_of_scipy(n):
    values = np.random.default_rng(n).normal(size=n)
    assert statistics.interquartile_mean([values]).median == pytest.approx(stats.trim_mean(values, 0.25))


def test_what_differs_between_tasks_only_is_not_uncertain():
    tasks = [[10.0 * task] * 5 for task in range(4)]
    middle, low, high = statistics.interquartile_mean(tasks)
    assert middle == low == high == 15.0


def test_the_interval_covers_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    truth, held = 0.5, []
    for _ in range(150):
        tasks = generator.normal([[0.0], [1.0], [0.0], [1.0]], 0.3, size=(4, 10))
        found = statistics.interquartile_mean(list(tasks))
        held.append(found.low <= truth <= found.high)
    assert 0.88 <= np.mean(held) <= 0.99


def test_a_quarter_of_failures_does_not_move_it_but_half_of_them_do():
    assert math.isfinite(statistics.interquartile_mean([[1.0, 2.0, 3.0, math.inf]]).median)
    assert statistics.interquartile_mean([[1.0, 2.0, math.inf, math.inf]]).median == math.inf


def test_one_run_per_task_has_no_interval_and_none_gives_nothing():
    assert math.isnan(statistics.interquartile_mean([[1.0], [3.0]]).low)
    assert all(map(math.isnan, statistics.interquartile_mean([[], [math.nan]])))


def test_the_same_runs_give_the_same_interval():
    tasks = [list(range(9)), list(range(5))]
    assert statistics.interquartile_mean(tasks) == statistics.interquartile_mean(tasks)
