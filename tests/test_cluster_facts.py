"""A worker that differs from the client in anything that decides a result is told from it, in a sentence that names it."""

import pytest

from rkbench import registry, suite
from rkbench.cluster import facts
from rkbench.plan import expand

CELLS = expand(suite.load("quick"), registry.default())
WANTED = facts.items(CELLS)

PLUGIN = """
from rkbench import ButcherTableau, hookimpl

@hookimpl
def rkbench_methods():
    return [ButcherTableau(name="mine", order=1, c=(0,), a=((),), b=(1,), source="{source}")]
"""


def test_machines_that_are_the_same_do_not_differ():
    found = facts.facts(WANTED, registry.load())
    assert facts.difference("tcp://a", found, facts.facts(WANTED, registry.default())) == ""
    assert {"Python", "rkbench", "torch", "the engine rkbench", "the method rk4"} <= found.keys()


@pytest.mark.parametrize("name", ["rkbench", "Python", "the task tanh_digits8"])
def test_what_differs_is_named_with_both_values(name):
    ours = {"Python": "3.12", "rkbench": "2", "the task tanh_digits8": "x"}
    sentence = facts.difference("tcp://a", ours | {name: "other"}, ours)
    assert sentence == (
        f"The worker tcp://a differs from this machine in {name}: other there, {ours[name]} here; install the same on both."
    )


def test_further_differences_are_counted():
    assert "more" not in facts.difference("a", {}, {"one": "1"})
    assert "(and 2 more)" in facts.difference("a", {}, {"one": "1", "two": "2", "three": "3"})


def test_what_a_plugin_brings_that_is_not_there_is_none():
    found = facts.facts({"method": ["rk4", "nobodys"]}, registry.default())
    assert found["the method nobodys"] == "none"
    assert found["the method rk4"] != "none"


def test_a_method_is_its_coefficients_and_an_engine_its_code():
    found = facts.facts(WANTED, registry.default())
    assert found["the method rk4"] != found["the method euler"]
    assert registry.default().owner("engine", "rkbench").digest in found["the engine rkbench"]
