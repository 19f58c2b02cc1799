"""What may be said of higher order against lower order: planted differences are found, and none is where there is none."""

import math

import numpy as np
import pytest
from answers_example import table

from rkbench.report.answers import comparison, rule
from rkbench.report.answers.costs import SECONDS, TRAINING

SEEDS = 8


def drawn(generator, settings, cost=1.0, scatter=0.1):
    """Return costs of equally good settings, seeds × settings."""
    return cost * np.exp(generator.normal(0, scatter, (SEEDS, settings)))


def found(*pairs, cost=TRAINING, limit: float | None = 1.0):
    """Return what is found on tasks, given costs of lower and of higher order."""
    compared = comparison.decided(
        cost, [(table(low), table(high)) for low, high in pairs], [limit] * len(pairs)
    )
    return [rule.finding(one) for one in compared]


@pytest.mark.parametrize(("cost", "said"), [(0.5, "pays"), (2.0, "costs")])
def test_a_planted_factor_of_two_is_found_with_its_sign(cost, said):
    generator = np.random.default_rng(3)
    [one] = comparison.decided(
        TRAINING, [(table(drawn(generator, 3)), table(drawn(generator, 4, cost)))], [1.0]
    )
    assert rule.finding(one) == said
    assert one.decision.estimate.low < cost < one.decision.estimate.high


def test_equal_sides_are_said_to_differ_in_no_more_than_five_of_a_hundred_runs():
    generator, runs = np.random.default_rng(11), 200
    pairs = [(drawn(generator, 3), drawn(generator, 6)) for _ in range(runs)]
    false = sum(found(pair)[0] in ("pays", "costs") for pair in pairs)
    assert false <= 0.05 * runs + 2 * math.sqrt(0.05 * 0.95 * runs)


def test_sides_that_cost_exactly_as_much_are_the_same():
    costs = np.random.default_rng(1).uniform(1, 2, (SEEDS, 1))
    assert found((costs, costs)) == ["same"]


def test_only_one_side_reaching_the_target_is_a_difference():
    reached, never = np.ones((SEEDS, 2)), np.full((SEEDS, 2), math.inf)
    assert found((never, reached)) == ["pays"]
    assert found((reached, never)) == ["costs"]
    assert found((never, never)) == ["unreached"]


def test_seeds_on_which_neither_side_reaches_the_target_are_no_pairs():
    low, high = np.full((SEEDS, 1), 2.0), np.full((SEEDS, 1), 1.0)
    low[:3] = high[:3] = math.inf
    [one] = comparison.decided(TRAINING, [(table(low), table(high))], [1.0])
    assert (one.seeds, one.reached, one.decision.pairs) == (SEEDS, (5, 5), 5)
    assert one.decision.why_none == "no verdict on 5 seeds"


def test_p_values_are_corrected_over_the_tasks_of_a_question():
    low, high = np.full((6, 1), 2.0), np.full((6, 1), 1.0)
    assert found((low, high)) == ["pays"]
    assert found((low, high), (low, high)) == ["undecided"] * 2


def test_a_difference_of_times_below_the_resolution_is_not_claimed():
    low, high = np.full((SEEDS, 1), 1.0), np.full((SEEDS, 1), 0.9)
    assert found((low, high), cost=SECONDS, limit=1.05) == ["pays"]
    assert found((low, high), cost=SECONDS, limit=1.2) == ["same"]
    assert found((low, high), cost=SECONDS, limit=None) == ["undecided"]


@pytest.mark.parametrize(
    ("findings", "word", "is_open"),
    [
        (["pays", "pays"], "yes", False),
        (["costs", "same"], "no", False),
        (["pays", "same", "undecided"], "it depends", True),
        (["pays", "undecided"], "yes", True),
        (["undecided"], "undecided", True),
        (["unreached", "costs"], "no", False),
        (["unreached"], "undecided", False),
    ],
)
def test_the_answer_follows_from_what_was_found_on_the_tasks(findings, word, is_open):
    assert rule.answer(findings) == rule.Answer(word, is_open)


def test_pairs_without_a_ratio_are_left_out_of_the_claim_too():
    low, high = np.zeros((SEEDS, 1)), np.ones((SEEDS, 1))
    assert found((low, high)) == ["undecided"]
