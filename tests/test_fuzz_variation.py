"""A task asked for with options is that task with these options, or a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkbench import registry, variation
from rkbench.errors import UserError
from rkbench.task import SignalTask, Task

quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)

TASKS = registry.default().tasks
VALUES = [
    "0",
    "1",
    "-1",
    "3.5",
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "true",
    "null",
    '"sgd"',
    "sgd",
    "{}",
    "9" * 5000,
    "1e15",
    "1e16",
    "\x1b",
    "",
]
KEYS = [
    "epochs",
    "batch_size",
    "learning_rate",
    "samples",
    "target",
    "optimizer",
    "kinetic",
    "augment",
    "depth",
    "seed",
    "",
    " ",
]
pairs = st.lists(
    st.tuples(st.sampled_from(KEYS), st.one_of(st.sampled_from(VALUES), st.text(max_size=4))), max_size=3
)


def asked(name):
    """Return the task, or None where a sentence refuses the name."""
    try:
        return registry.default().task(name)
    except UserError as error:
        return None if str(error)[-1] in ".?" or "rkbench list" in str(error) else str(error)


@quick
@given(st.text(max_size=30))
def test_any_name_is_a_task_or_a_sentence(name):
    found = asked(name)
    assert found is None or found.name == name


@quick
@given(st.sampled_from(sorted(TASKS)), pairs)
def test_any_options_give_a_task_that_can_be_trained_or_a_sentence(task, drawn):
    name = f"{task}[{', '.join(f'{key}={value}' for key, value in drawn)}]"
    found = asked(name)
    assert found is None or found.name == name
    if isinstance(found, Task):
        assert found.epochs >= 1
        assert found.recipe.batch_size >= 1
        assert 0 < found.recipe.learning_rate < 1e16
        assert found.samples is None or found.samples >= 1
        assert 0 <= found.target <= 1
    if isinstance(found, SignalTask):
        assert found.samples >= 1
        assert all(value == value for value in variation.options(found).values())


NOTHING = [
    "epochs=0", "epochs=-1", "epochs=1.5", "epochs=true", "epochs=1,epochs=2", "epochs", "=1", "", "a=1][", "batch_size=0",
    "learning_rate=0", "learning_rate=NaN", "learning_rate=1e999", "samples=0", "samples=-5", "kinetic=-1", "jacobian=NaN",
    "target=2", "momentum=1",
]  # fmt: skip


@pytest.mark.parametrize("options", NOTHING)
def test_an_option_that_means_nothing_is_refused(options):
    assert asked("mnist8_tanh[epochs=1]") is not None
    assert asked(f"mnist8_tanh[{options}]") is None
