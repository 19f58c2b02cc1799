"""The law by which memory grows is found where the numbers decide, and left open where they do not."""

import math

import numpy as np
import pytest

from rkbench.report import growth

DOUBLING = 2.0 ** np.arange(1, 9)
"""2, 4, …, 256 steps."""


@pytest.mark.parametrize("law", growth.LAWS)
def test_a_law_is_found_with_its_base_and_slope(law):
    found = growth.fit(DOUBLING, 3 + 0.5 * growth.LAWS[law](DOUBLING))
    assert found.law == law
    assert (found.base, found.slope) == pytest.approx((3, 0.5))
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("law", growth.LAWS)
def test_memory_that_grows_by_whole_states_has_the_law_it_follows(law):
    found = growth.fit(DOUBLING, 15 + 2 * np.ceil(growth.LAWS[law](DOUBLING)))
    assert found.law == law
    assert found.low <= found.slope <= found.high


@pytest.mark.parametrize("memory", [np.full(8, 2.1), 1.5 + 0.06 * (DOUBLING > 2), 2 + 1e-5 * DOUBLING])
def test_a_rise_of_a_few_percent_is_none(memory):
    found = growth.fit(DOUBLING, memory)
    assert (found.law, found.slope) == (growth.CONSTANT, 0)
    assert found.base == np.median(memory)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_points_have_no_law(count):
    assert growth.fit(DOUBLING[:count], DOUBLING[:count]).laws == ()


def test_as_many_points_at_one_depth_are_one_point():
    assert growth.fit([2, 2, 2, 4, 4, 8], [1, 1, 1, 2, 2, 4]).laws == ()


def test_a_point_that_was_not_measured_is_left_out():
    memory = 1 + DOUBLING
    memory[3] = math.nan
    assert growth.fit(DOUBLING, memory).slope == pytest.approx(1)
    assert growth.fit(DOUBLING[:4], memory[:4]).laws == ()


def test_near_each_other_the_laws_are_not_told_apart():
    near = np.array([10.0, 11.0, 12.0, 13.0])
    assert set(growth.fit(near, 1 + np.sqrt(near)).laws) == set(growth.LAWS)
    assert growth.fit(near, 1 + np.sqrt(near)).law is None


@pytest.mark.parametrize(
    "memory", [np.array([9.0, 1, 8, 2, 9, 1, 8, 2]), 300 - DOUBLING, np.array([5.0, 1, 1, 1, 1, 1, 1, 1])]
)
def test_what_follows_no_law_has_none(memory):
    found = growth.fit(DOUBLING, memory)
    assert found.laws == ()
    assert np.isnan(found.at(DOUBLING)).all()


@pytest.mark.parametrize("law", growth.LAWS)
def test_a_law_can_be_drawn(law):
    memory = 3 + 0.5 * growth.LAWS[law](DOUBLING)
    assert growth.fit(DOUBLING, memory).at(DOUBLING) == pytest.approx(memory)
    assert growth.fit(DOUBLING, np.full(8, 2.0)).at(DOUBLING) == pytest.approx(np.full(8, 2.0))
