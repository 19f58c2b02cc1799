"""Harder images come with the networks of MNIST, in sizes that say what they are, and with colour where there is any."""

import pytest
import torch

from rkbench import ODEBlock, checksums, data, registry, suite
from rkbench.interface import make_solver
from rkbench.plan import expand
from rkbench.tasks.convolutional import NETS
from rkbench.tasks.images import DYNAMIC_BLOCKS, SIZES, TASKS

BY_NAME = {task.name: task for task in TASKS}
SHAPES = {"cifar10": (3, 32, 32)}
EULER = make_solver("euler", steps=1)


def network(task):
    example = torch.zeros(2, *SHAPES.get(task.dataset, (1, 28, 28)))
    return task.network(EULER if task.solves else None, example, 10), example


@pytest.mark.parametrize("name", [name for name in BY_NAME if "_small_" in name])
def test_a_network_takes_the_images_of_its_task(name):
    built, example = network(BY_NAME[name])
    assert built(example).shape == (2, 10)


@pytest.mark.parametrize("prefix", SIZES)
def test_the_state_is_that_of_the_summary(prefix):
    task = BY_NAME[f"{prefix}_odenet"]
    built, example = network(task)
    [block] = [module for module in built if isinstance(module, ODEBlock)]
    shapes = []
    block.register_forward_hook(lambda block, inputs, output: shapes.append(output.shape[1:]))
    built(example)
    assert "state " + "×".join(map(str, shapes[0])) in task.summary


def test_every_dataset_is_known_and_every_network_is_there_in_every_size():
    assert set(BY_NAME) == {f"{prefix}_{net}" for prefix in SIZES for net in NETS}
    assert {task.dataset for task in TASKS} <= {*data.READ, *data.MADE}
    assert all(checksums.of(task.dataset) for task in TASKS)


def test_the_recipe_for_photographs_drops_its_rate_at_the_epochs_of_the_literature():
    drops = [round(share * DYNAMIC_BLOCKS.epochs) for share in DYNAMIC_BLOCKS.milestones]
    assert drops == [60, 80, 100]


@pytest.mark.parametrize(("scale", "evaluations"), [("small", {4}), ("full", {4, 12})])
def test_the_solvers_of_the_suite_have_equal_evaluations(scale, evaluations):
    """Without those of pairs, whose number nobody knows beforehand."""
    cells = expand(suite.load("images", scale), registry.default())
    stages = {"euler": 1, "midpoint": 2, "rk4": 4}
    counts = {}
    for cell in cells:
        if cell.steps:
            counts.setdefault(cell.method, set()).add(stages[cell.method] * cell.steps)
    assert counts == dict.fromkeys(stages, evaluations)
