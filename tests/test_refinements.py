"""Multilevel learning: controls are trained on a coarse grid, then on finer ones, from where they had come."""

import copy

import pytest
import torch
from torch import nn

from rkbench import Recipe, data
from rkbench.classification import Classification
from rkbench.errors import UnsupportedError, UserError
from rkbench.interface import make_solver
from rkbench.networks.controlled import dense_net
from rkbench.networks.dynamic import DynamicBlock, refine
from rkbench.networks.mixed import in_mixed_precision
from rkbench.train import Training

DIGITS = data.load("digits8")


def net(intervals=1, steps=4, **solver):
    torch.manual_seed(0)
    return dense_net(make_solver("rk4", steps=steps, **solver), 64, 10, controls={"intervals": intervals})


def blocks(network):
    [dynamic] = [module for module in network.modules() if isinstance(module, DynamicBlock)]
    return dynamic.blocks


def test_a_refined_network_computes_the_same_with_twice_as_many_controls():
    network, x = net(), DIGITS.x_test[:20]
    nn.init.normal_(blocks(network)[0].f.field.controls.values, std=0.2)
    before = network(x)
    refine(network)
    assert [block.solver.steps for block in blocks(network)] == [2, 2]
    torch.testing.assert_close(network(x), before)


def test_the_grid_is_halved_after_equal_parts_of_the_epochs():
    recipe = Recipe(epochs=6, batch_size=512, refinements=2)
    training, intervals = Training(net(), Classification(DIGITS, recipe), recipe, 6, seed=0), []
    training.run(lambda row: intervals.append(len(blocks(training.network))))
    assert intervals == [1, 1, 2, 2, 4, 4]


def test_what_was_learnt_is_kept_and_what_is_new_is_trained():
    recipe = Recipe(epochs=4, batch_size=256, refinements=1)
    training, rows = Training(net(), Classification(DIGITS, recipe), recipe, 4, seed=0), []
    training.run(rows.append)
    assert rows[2]["train_loss"] < rows[1]["train_loss"]
    values = blocks(training.network)[0].f.f.field.controls.values
    assert not torch.allclose(values[1], (values[0] + values[2]) / 2, atol=1e-4)


def test_the_weights_that_stay_keep_their_momentum():
    recipe = Recipe(epochs=2, batch_size=512, refinements=1)
    training = Training(net(), Classification(DIGITS, recipe), recipe, 2, seed=0)
    training.epoch(1)
    head = training.network[-1].weight
    moment = training.optimizer.state[head]["exp_avg"]
    training.refine(1)
    assert training.optimizer.state[head]["exp_avg"] is moment
    assert len(training.optimizer.state) == 2
    assert sum(p.numel() for p in training.optimizer.param_groups[0]["params"]) == sum(
        p.numel() for p in training.network.parameters()
    )


def test_controls_are_refused_that_steps_cannot_follow():
    network = net(steps=1)
    with pytest.raises(UserError, match="cannot be shared out"):
        refine(network)


def test_a_network_without_controls_is_refused():
    with pytest.raises(UserError, match="nothing to refine"):
        refine(nn.Linear(2, 2))


def test_wrapped_fields_are_refused_rather_than_unwrapped():
    with pytest.raises(UnsupportedError, match="drop either"):
        refine(in_mixed_precision(copy.deepcopy(net())))


def test_more_refinements_than_epochs_are_refused():
    with pytest.raises(UserError, match="fewer than epochs"):
        Recipe(epochs=2, refinements=2)
