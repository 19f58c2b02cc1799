"""Training counts what happens, learns nothing from being looked at, and says when it went wrong."""

import copy

import pytest
import torch

from rkbench import ODEBlock, Recipe, data
from rkbench.classification import Classification
from rkbench.interface import make_solver
from rkbench.networks.tanh import TanhField, tanh_net
from rkbench.train import Training, TrainingError

DIGITS = data.load("digits8")
RECIPE = Recipe(epochs=1, batch_size=512)


def training(network, recipe=RECIPE):
    return Training(network, Classification(DIGITS, recipe), recipe, recipe.epochs, seed=0)


def euler():
    return make_solver("euler", steps=3)


def test_the_counts_of_a_step_are_those_of_all_its_blocks():
    network = torch.nn.Sequential(
        torch.nn.Flatten(),
        ODEBlock(TanhField(64), solver=euler()),
        ODEBlock(TanhField(64), method="rk4", steps=2),
        torch.nn.Linear(64, 10),
    )
    started = training(network)
    started.run(lambda row: None)
    assert set(started.log.nfe_forward) == {3 + 8}
    assert set(started.log.accepted) == {3 + 2}
    assert started.vjps == [3 + 8]


def test_a_block_that_is_applied_twice_is_counted_twice():
    block = ODEBlock(TanhField(64), solver=euler())
    network = torch.nn.Sequential(torch.nn.Flatten(), block, block, torch.nn.Linear(64, 10))
    started = training(network)
    started.run(lambda row: None)
    assert set(started.log.nfe_forward) == {6}
    assert set(started.log.accepted) == {6}


def test_warm_up_and_audit_teach_nothing():
    """Batch normalisation takes note of every batch it sees in training: as many as there were steps."""
    norm = torch.nn.BatchNorm1d(64)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), norm, ODEBlock(TanhField(64), solver=euler()), torch.nn.Linear(64, 10)
    )
    started = training(network)
    started.run(lambda row: None)
    assert norm.num_batches_tracked.item() == len(started.log.nfe_forward) == 3


def test_warm_up_leaves_weights_and_random_numbers_alone():
    network = tanh_net(euler(), 64, 10).append(torch.nn.Dropout(0.1))
    started = training(network)
    before = copy.deepcopy(network.state_dict())
    state = torch.get_rng_state()
    started.warm_up()
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(state, torch.get_rng_state())


def test_a_network_that_is_nan_after_its_last_update_is_not_ok():
    class Field(torch.nn.Linear):
        def forward(self, t, y):
            return torch.relu(super().forward(y))

    network = torch.nn.Sequential(
        torch.nn.Flatten(), ODEBlock(Field(64, 64), solver=euler()), torch.nn.Linear(64, 10)
    )
    one_step = Recipe(epochs=1, batch_size=len(DIGITS.y_train), learning_rate=1e30)
    with pytest.raises(TrainingError, match=r"The test loss (became NaN|grew)") as caught:
        training(network, one_step).run(lambda row: None)
    assert caught.value.status in ("non_finite", "diverged")


def test_a_loss_that_explodes_is_diverged():
    network = tanh_net(euler(), 64, 10)
    with pytest.raises(TrainingError) as caught:
        training(network, Recipe(epochs=1, batch_size=64, learning_rate=1e4)).run(lambda row: None)
    assert caught.value.status == "diverged"


def test_every_solver_sees_the_same_batches():
    orders = []
    for method in ("euler", "rk4"):
        started = training(tanh_net(make_solver(method, steps=1), 64, 10))
        orders.append(torch.cat([y for _, y in started.lesson.epoch(started.order)]))
    assert torch.equal(*orders)
