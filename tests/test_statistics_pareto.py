"""Which solvers no other beats in both cost and score."""

import math

import numpy as np
import pytest

from rkbench.report import statistics


@pytest.mark.parametrize(
    ("costs", "scores", "front"),
    [
        ([1, 2, 3], [1, 2, 3], [True, True, True]),
        ([1, 2, 3], [3, 2, 1], [True, False, False]),
        ([1, 1, 2], [1, 2, 2], [False, True, False]),
        ([1, 1, 1], [2, 2, 1], [True, True, False]),
        ([2, 1, 2], [5, 4, 5], [True, True, True]),
        ([1, math.nan, 0.5], [1, 9, math.nan], [True, False, False]),
        ([-math.inf, 1, 2], [1, 0.5, math.inf], [False, True, False]),
        ([], [], []),
    ],
)
def test_a_point_stays_unless_another_is_as_good_in_both_and_better_in_one(costs, scores, front):
    assert statistics.pareto_front(costs, scores).tolist() == front


def test_the_front_is_that_of_comparing_every_point_with_every_other():
    costs, scores = np.random.default_rng(0).integers(0, 12, size=(2, 80)).astype(float)
    beaten = [
        any(c <= cost and s >= score and (c < cost or s > score) for c, s in zip(costs, scores, strict=True))
        for cost, score in zip(costs, scores, strict=True)
    ]
    assert statistics.pareto_front(costs, scores).tolist() == [not one for one in beaten]
