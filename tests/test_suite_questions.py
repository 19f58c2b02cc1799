"""A suite may ask questions, which are read as strictly as all else of it and come with the run."""

import json

import pytest

from rkbench import manifest, registry, runner, suite
from rkbench.errors import SuiteError
from rkbench.plan import expand

ASKING = """
title = "t"
baseline = "euler"
tasks = ["pendulum[epochs=1]", "oscillator_net"]
[[solvers]]
method = ["euler", "rk4"]
steps = 10
[[question]]
ask = "Does order pay?"
tasks = ["pendulum[epochs=1]", "oscillator_net"]
"""


def test_a_question_has_words_tasks_and_perhaps_sides():
    sided = suite.parse("mine", ASKING + 'low = "euler"\nhigh = ["rk4"]')
    assert sided.question == (
        suite.Question("Does order pay?", ("pendulum[epochs=1]", "oscillator_net"), ("euler",), ("rk4",)),
    )
    assert suite.parse("mine", ASKING).question[0].low == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('ask = "Does order pay?"', "", "needs ask and tasks; add them"),
        ('ask = "Does order pay?"', "ask = 3", "put a question in words"),
        ('ask = "Does order pay?"', 'ask = " "', "put a question in words"),
        ('ask = "Does order pay?"', 'ask = "?"\nlows = "euler"', "did you mean 'low'"),
        ('ask = "Does order pay?"', 'ask = "?"\nlow = "heun"', "names 'heun', which the suite does not have"),
        ('ask = "Does order pay?"', 'ask = "?"\nlow = "rk4"\nhigh = "rk4"', "both in low and in high"),
        ('ask = "Does order pay?"', 'ask = "?"\nhigh = [3]', "wrong type"),
        ('"oscillator_net"]\n[[solvers]]', '"decay"]\n[[solvers]]', "names 'oscillator_net', which the suite does not"),
        ("[[question]]", "[question]", "wrong type"),
        ("[[question]]", 'question = ["x"]\n[[reference]]', "needs ask and tasks|wrong type|unknown"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused_in_one_sentence(old, new, sentence):
    assert old in ASKING
    with pytest.raises(SuiteError, match=sentence):
        suite.parse("mine", ASKING.replace(old, new))


def test_a_task_named_twice_is_refused():
    with pytest.raises(SuiteError, match="names 'oscillator_net', twice"):
        suite.parse("mine", ASKING.replace('"oscillator_net"]\n', '"oscillator_net", "oscillator_net"]\n'))


def test_a_scale_may_ask_its_own():
    text = ASKING.partition("[[question]]")[0]
    text += '[scale.small]\ntasks = ["oscillator_net"]\n[[scale.small.question]]\nask = "?"\ntasks = "oscillator_net"\n'
    assert [one.tasks for one in suite.parse("mine", text).question] == [("oscillator_net",)]


def test_a_suite_narrowed_to_other_tasks_still_asks():
    chosen = suite.select(suite.parse("mine", ASKING), tasks=["oscillator_net"])
    assert chosen.question[0].tasks == ("pendulum[epochs=1]", "oscillator_net")


def test_the_questions_of_a_suite_are_in_the_manifest_of_its_run():
    asking = suite.parse("mine", ASKING)
    cells = expand(asking, registry.default())
    made = runner._manifest(runner.Job(asking, cells, ()), {}, None, measures=True)
    text = "".join(manifest.pieces(made))
    assert manifest.parse(text)["question"] == [
        {"ask": "Does order pay?", "tasks": ["pendulum[epochs=1]", "oscillator_net"], "low": [], "high": []}
    ]
    assert not json.loads(text)["suite"]["question"]


def test_a_manifest_with_a_broken_question_is_refused():
    with pytest.raises(ValueError, match="has no ask"):
        manifest.parse('{"question": [{"tasks": []}]}')
