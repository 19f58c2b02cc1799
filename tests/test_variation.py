"""A task with options in its name is that task with other options, and a cell of its own."""

import pytest
import torch

from rkbench import registry, suite
from rkbench.errors import UnknownNameError, UserError
from rkbench.interface import make_solver
from rkbench.plan import expand
from rkbench.variation import options

TASKS = registry.default()
EULER = make_solver("euler", steps=1)


IMAGES = {side: torch.zeros(2, 1, side, side) for side in (8, 28)}


def size(name, side=8):
    network = TASKS.task(name).network(EULER, IMAGES[side], 10)
    return sum(p.numel() for p in network.parameters())


def test_options_of_the_recipe_and_of_the_task_are_set():
    task = TASKS.task("mnist8_tanh[epochs=3, learning_rate=0.1, samples=500, kinetic=0.01, optimizer=sgd]")
    assert (task.recipe.epochs, task.recipe.learning_rate, task.recipe.optimizer) == (3, 0.1, "sgd")
    assert (task.samples, task.kinetic, task.jacobian) == (500, 0.01, 0)
    assert task.recipe.batch_size == TASKS.task("mnist8_tanh").recipe.batch_size


def test_options_of_the_network_reach_it():
    assert size("mnist8_tanh") == 64 * 64 + 64 + 650
    assert size("mnist8_tanh[augment=16]") == 80 * 80 + 80 + 810
    assert size("mnist8_tanh[depth=2, width=8]") == 64 * 8 + 8 + 8 * 64 + 64 + 650


def test_a_variant_of_a_variant_of_a_network_keeps_its_other_options():
    assert size("mnist_small_resnet[blocks=1]", 28) == size("mnist_small_resnet1", 28)
    assert size("mnist_resnet[downsampling=res]", 28) == 601_482


def test_the_name_with_its_options_is_the_name_of_the_task():
    name = "mnist8_tanh[augment=16, epochs=3]"
    assert TASKS.task(name).name == name


def test_cells_of_variants_have_identities_of_their_own():
    names = [
        "digits8_tanh",
        "digits8_tanh[samples=100]",
        "digits8_tanh[augment=4]",
        "digits8_tanh[kinetic=0.1]",
    ]
    cells = expand(suite.select(suite.load("quick"), tasks=names, seeds=1), TASKS)
    assert {cell.task for cell in cells} == set(names)
    assert len({cell.cell_id for cell in cells}) == len(cells)


def test_every_option_is_listed_with_its_value():
    found = options(TASKS.task("mnist_small_odenet"))
    assert (found["channels"], found["augment"], found["epochs"], found["samples"]) == (16, 0, 3, 10_000)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mnist8_tanh[", "write it like"),
        ("mnist8_tanh[]", "write it like"),
        ("mnist8_tanh[augment]", "write it like"),
        ("mnist8_tanh[augment=]", "write it like"),
        ("mnist8_tanh]augment=1[", "write it like"),
        ("mnist8_tanh[augment=many]", "wrong type"),
        ("mnist8_tanh[augment=1.5]", "wrong type"),
        ("mnist8_tanh[augment=true]", "wrong type"),
        ("mnist8_tanh[crop=-1]", "crop must be 0 or more"),
        ("mnist8_tanh[milestones=0.5]", "wrong type"),
        ("lorenz[epochs=3]", "Only tasks that train a network or follow a signal"),
    ],
)
def test_what_is_no_option_is_refused_in_a_sentence(name, sentence):
    with pytest.raises(UserError, match=sentence):
        TASKS.task(name)


def test_an_unknown_option_is_answered_with_all_there_are():
    with pytest.raises(UnknownNameError, match="choose one of: .*augment"):
        TASKS.task("mnist8_tanh[augmnt=3]")
