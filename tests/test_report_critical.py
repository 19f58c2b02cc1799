"""The critical step size of a method is bracketed by the steps that trained an ODE's network and those that did not."""

import pytest

from rkbench.report.critical import Ladder, sentences


@pytest.mark.parametrize(
    ("kept", "lost", "said"),
    [
        ((16, 32), (4, 8), "from 16 steps on, not with 8: critical step size between 1/16 and 1/8."),
        ((2,), (1,), "from 2 steps on, not with 1: critical step size between 1/2 and 1."),
        ((2, 4, 8), (), "with every number of steps tried, from 2 to 8: critical step size not below 1/2."),
        ((1, 2, 4), (), "with every number of steps tried, from 1 to 4: critical step size not below 1."),
        ((), (2, 4, 64), "with no number of steps tried, from 2 to 64: critical step size below 1/64."),
        ((4, 16), (2, 8), "with 4 and 16 steps, not with 2 and 8: no critical step size."),
        ((2,), (4, 8), "with 2 steps, not with 4 and 8: no critical step size."),
    ],
)
def test_it_lies_between_what_works_and_what_does_not(kept, lost, said):
    assert sentences([Ladder("euler", kept, lost)]) == [f"euler: an ODE's network {said}"]


def test_methods_of_one_bracket_share_a_sentence():
    found = sentences([Ladder("a", (4,), (2,)), Ladder("b", (8,), (4,)), Ladder("c", (4,), (2,))])
    assert [sentence.partition(":")[0] for sentence in found] == ["a and c", "b"]
