"""The setting of a seed is chosen by the other seeds, so that having many of them to choose from makes no side cheaper."""

import math

import numpy as np
import pandas as pd
import pytest
from answers_example import table

from rkbench.report.answers import choosing


def test_the_setting_of_a_seed_is_the_best_on_the_others():
    chosen = choosing.held_out(table([[1, 9], [5, 2], [5, 2]]))
    assert list(chosen.settings) == ["setting 1", "setting 0", "setting 0"]
    assert list(chosen.costs) == [9, 5, 5]


def test_choosing_by_the_other_seeds_is_unbiased_where_the_best_of_each_seed_is_not():
    drawn = np.random.default_rng(5).normal(size=(60, 8, 6))
    held = np.array([choosing.held_out(table(one)).costs for one in drawn])
    error = 1 / math.sqrt(drawn.shape[0] * drawn.shape[1])
    assert abs(held.mean()) < 3 * error
    assert drawn.min(axis=2).mean() < -10 * error


def test_a_setting_that_reaches_the_target_more_often_comes_before_one_that_does_so_sooner():
    costs = [[math.inf, math.inf], [1, 5], [math.inf, 5], [math.inf, math.inf], [math.inf, math.inf]]
    assert choosing.held_out(table(costs)).settings.iloc[0] == "setting 1"


def test_settings_that_are_alike_leave_the_first():
    assert set(choosing.held_out(table([[2, 2]] * 3)).settings) == {"setting 0"}


def test_a_setting_that_was_not_measured_on_a_seed_is_not_chosen_for_it():
    chosen = choosing.held_out(table([[math.nan, 3], [1, 3], [1, 3]]))
    assert list(chosen.settings) == ["setting 1", "setting 0", "setting 0"]


def test_one_seed_chooses_nothing_unless_there_is_no_choice():
    assert math.isnan(choosing.held_out(table([[1, 2]])).costs.iloc[0])
    assert choosing.held_out(table([[1]])).costs.iloc[0] == 1


def test_machines_do_not_choose_for_each_other():
    costs = table([[1, 2], [1, 2], [9, 3], [9, 3]])
    costs.index = pd.MultiIndex.from_arrays([range(4), ["a", "a", "b", "b"]], names=["seed", "host"])
    assert list(choosing.held_out(costs).settings) == 2 * ["setting 0"] + 2 * ["setting 1"]


@pytest.mark.parametrize(
    ("costs", "told"), [([[1, 2]] * 3, "setting 0"), ([[1, 9], [5, 2], [5, 2], [5, 2]], "setting 1")]
)
def test_the_usual_setting_is_named(costs, told):
    assert choosing.held_out(table(costs)).usual == told
