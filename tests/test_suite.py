"""Suites are read strictly, and narrowed or extended as the command line promises."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkbench import registry, size, suite
from rkbench.errors import SuiteError, UnknownNameError, UserError
from rkbench.plan import expand

GOOD = """
title = "t"
baseline = "euler"
tasks = ["digits8_tanh"]
[[solvers]]
method = ["euler", "rk4"]
steps = [5, 10]
[[solvers]]
method = "dopri5"
rtol = [1e-3, 1e-4]
"""


def points(chosen):
    """(method, steps, rtol, atol) of the first seed."""
    cells = expand(chosen, registry.default())
    return sorted({(c.method, c.steps, c.rtol, c.atol) for c in cells}, key=str)


@pytest.mark.parametrize("name", suite.names())
def test_a_built_in_suite_expands(name):
    assert expand(suite.load(name), registry.default())


def test_lists_multiply():
    assert points(suite.parse("mine", GOOD)) == [
        ("dopri5", None, 1e-4, 1e-4),
        ("dopri5", None, 1e-3, 1e-3),
        ("euler", 10, None, None),
        ("euler", 5, None, None),
        ("rk4", 10, None, None),
        ("rk4", 5, None, None),
    ]


def test_a_suite_given_other_tasks_is_not_titled_by_its_own():
    chosen = suite.parse("mine", GOOD)
    assert suite.select(chosen, tasks=["digits8_tanh"]).title == "t"
    assert suite.select(chosen, tasks=["pendulum"]).title == "pendulum: matrix of the suite mine"


PARTED = GOOD.replace('["digits8_tanh"]', '["digits8_tanh", "decay"]').replace(
    "steps = [5, 10]", 'steps = [5, 10]\ntasks = "decay"'
)
"""A suite one of whose blocks of solvers is for one of its tasks."""


def methods_by_task(chosen):
    cells = expand(chosen, registry.default())
    return {task: {c.method for c in cells if c.task == task} for task in {c.task for c in cells}}


def test_a_block_of_solvers_may_be_for_some_tasks_alone():
    assert methods_by_task(suite.parse("mine", PARTED)) == {
        "digits8_tanh": {"dopri5"},
        "decay": {"dopri5", "euler", "rk4"},
    }


def test_a_task_without_a_block_is_refused_unless_it_solves_nothing():
    for task, refused in (("decay", True), ("digits8_resnet", False)):
        text = PARTED.replace('"decay"', f'"{task}"').replace("rtol =", 'tasks = "digits8_tanh"\nrtol =')
        chosen = suite.parse("mine", text.replace(f'tasks = "{task}"', 'tasks = "digits8_tanh"'))
        with pytest.raises(SuiteError, match="block for decay") if refused else contextlib.nullcontext():
            assert len(expand(chosen, registry.default())) > 0


def test_a_task_that_is_not_the_suites_own_gets_all_its_solvers():
    chosen = suite.select(suite.parse("mine", PARTED), tasks=["digits8_odenet"])
    assert methods_by_task(chosen) == {"digits8_odenet": {"dopri5", "euler", "rk4"}}


def test_the_cells_of_parted_blocks_are_counted_before_they_are_made():
    chosen = suite.parse("mine", PARTED.replace('baseline = "euler"', 'baseline = "dopri5"'))
    known = registry.default()
    assert size.at_most(chosen, known) == len(expand(chosen, known))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("steps = [5, 10]", "steps = 5\ntasks = ['decay']", "for 'decay', which is not among its tasks"),
        ('dopri5"', "dopri5\"\ntasks = ['lorenz']", "which is not among its tasks"),
        ("tasks", "task", "did you mean 'tasks'"),
        ('title = "t"', "", "has no title"),
        ('["digits8_tanh"]', "[]", "tasks is an empty list"),
        ('["digits8_tanh"]', "[3]", "wrong type"),
        ("rtol = [1e-3, 1e-4]", 'rtol = "small"', "wrong type"),
        ("rtol = [", "rtoll = [", "did you mean 'rtol'"),
        ("steps = [5, 10]", "steps = [true]", "wrong type"),
        ("steps = [5, 10]", "steps = 5\ncompile = [0, 1]", "wrong type"),
        ("steps = [5, 10]", 'steps = 5\nseminorm = "yes"', "wrong type"),
        ("steps = [5, 10]", "steps = 5\nadjoint_rtol = [false]", "wrong type"),
        ('title = "t"', 'title = "t"\nseeds = 0', "at least 1"),
        ('title = "t"', 'title = "t"\nseeds = "three"', "wrong type"),
        ('title = "t"', "title = ", "not valid TOML"),
        ('method = "dopri5"', "", "needs a method"),
        ('title = "t"', 'title = "t"\ndtype = "float8"', "one of float32, float64"),
        ('title = "t"', 'title = "t"\ntimeout_seconds = inf', "finite"),
        ("[[solvers]]", "[[reference]]\ndate = 2024-06-01\n[[solvers]]", "quote its dates"),
        ('title = "t"', 'title = "t"\nreference = ["x"]', "must be a table"),
        ('title = "t"', 'title = "t"\nscale = {small = 3}', "make 3 one"),
        (
            'title = "t"',
            'title = "t"\nscale = {small = {seed = 3}}',
            "unknown key of a scale 'seed'; did you mean",
        ),
        ('title = "t"', 'title = "t"\nscale = {small = {seeds = "3"}}', "wrong type"),
    ],
)
def test_a_wrong_suite_is_refused_in_one_sentence(old, new, sentence):
    assert old in GOOD
    with pytest.raises(SuiteError, match=sentence):
        suite.parse("mine", GOOD.replace(old, new))


def test_the_axes_of_a_solver_are_lists_of_their_kind():
    block = """
control = ["batch", "sample"]
compile = [false, true]
gradient = "adjoint"
adjoint_rtol = [1e-5, 1e-7]
adjoint_atol = 0
seminorm = [true, false]
"""
    axis = suite.parse("mine", GOOD + block).solvers[-1]
    assert (axis.control, axis.compile, axis.seminorm) == (("batch", "sample"), (False, True), (True, False))
    assert (axis.adjoint_rtol, axis.adjoint_atol) == ((1e-5, 1e-7), (0,))


SCALED = (
    GOOD
    + """
[scale.small]
seeds = 2
tasks = ["digits8_tanh"]
[scale.full]
seeds = 5
device = "cuda"
"""
)


def test_the_first_scale_is_that_of_a_suite_unless_another_is_asked_for():
    small, full = suite.parse("mine", SCALED), suite.parse("mine", SCALED, "full")
    assert (small.scale, small.seeds, small.tasks, small.device) == ("small", 2, ("digits8_tanh",), "cpu")
    assert (full.scale, full.seeds, full.device) == ("full", 5, "cuda")
    assert full.solvers == small.solvers == suite.parse("mine", GOOD).solvers


@pytest.mark.parametrize(
    ("text", "scale", "sentence"),
    [(SCALED, "huge", "has no scale 'huge'; choose one of: small, full"), (GOOD, "full", "has one size")],
)
def test_a_scale_that_a_suite_lacks_is_refused(text, scale, sentence):
    with pytest.raises(SuiteError, match=sentence):
        suite.parse("mine", text, scale)


def test_an_unknown_suite_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean quick"):
        suite.load("quik")


@given(st.text())
def test_no_text_gives_anything_but_a_suite_or_a_sentence(text):
    with contextlib.suppress(UserError):
        expand(suite.parse("fuzz", text), registry.default())


def test_a_method_of_the_suite_selects_it():
    chosen = suite.select(suite.load("quick"), methods=["rk4"])
    assert {p[0] for p in points(chosen)} == {"rk4"}
    assert chosen.baseline == "rk4"


def test_a_new_method_joins_the_suite():
    chosen = suite.select(suite.load("quick"), methods=["tsit5", "kutta3"])
    assert [p[:3] for p in points(chosen)] == [
        ("dopri5", None, 1e-3),
        ("euler", 10, None),
        ("kutta3", 10, None),
        ("rk4", 10, None),
        ("tsit5", None, 1e-3),
    ]
    assert chosen.baseline == "euler"


def test_a_new_method_joins_the_selected_ones():
    chosen = suite.select(suite.load("quick"), methods=["euler", "tsit5"])
    assert {p[0] for p in points(chosen)} == {"euler", "tsit5"}


def test_steps_put_every_method_on_equal_steps():
    assert {p[:3] for p in points(suite.select(suite.load("quick"), steps=[4]))} == {
        ("euler", 4, None),
        ("rk4", 4, None),
        ("dopri5", 4, None),
    }


def test_steps_with_rtol_leave_pairs_adaptive():
    assert set(points(suite.select(suite.load("quick"), steps=[4], rtol=[1e-5]))) == {
        ("euler", 4, None, None),
        ("rk4", 4, None, None),
        ("dopri5", None, 1e-5, 1e-5),
    }


def test_unknown_names_are_refused_before_anything_runs():
    for options in (
        {"methods": ["nope"]},
        {"tasks": ["nope"]},
        {"controllers": ["nope"]},
        {"norms": ["nope"]},
        {"engines": ["nope"]},
        {"gradients": ["nope"]},
        {"controls": ["nope"]},
    ):
        with pytest.raises(UserError, match="nope"):
            expand(suite.select(suite.load("quick"), **options), registry.default())


def test_engine_gradient_control_and_compiling_hold_for_every_solver_of_the_suite():
    chosen = suite.select(
        suite.load("quick"), engines=["rkbench"], gradients=["checkpoint", "adjoint"], methods=["dopri5"]
    )
    assert {cell.gradient for cell in expand(chosen, registry.default())} == {"checkpoint", "adjoint"}
    compiled = suite.select(suite.load("quick"), compile=True)
    assert all(cell.compiled for cell in expand(compiled, registry.default()))
    plain = suite.select(suite.load("engines"), compile=False, engines=["rkbench"], methods=["euler"])
    assert not any(cell.compiled for cell in expand(plain, registry.default()))
    alone = suite.select(suite.load("quick"), controls=["sample"], methods=["dopri5"])
    assert {cell.control for cell in expand(alone, registry.default())} == {"sample"}
