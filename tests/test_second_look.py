"""A trained network is solved once more, better: one that learnt its solver changes its mind, an ODE-net does not."""

import pytest
import torch

from rkbench import ODEBlock, data
from rkbench.experiments.second_look import second_look
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net
from rkbench.task import Recipe
from rkbench.train import Training


@pytest.fixture(scope="module")
def digits():
    return data.load("digits8")


def trained(digits, **solver):
    torch.manual_seed(0)
    training = Training(
        tanh_net(make_solver(**solver), 64, 10), digits, Recipe(epochs=2, batch_size=256), epochs=2, seed=0
    )
    training.run(lambda row: None)
    return training.network


def test_a_network_that_was_solved_well_keeps_its_mind(digits):
    network = trained(digits, method="rk4", steps=8)
    look = second_look(network, digits.x_test, digits.y_test, 256)
    assert look is not None
    assert look == (0, 0)


def test_a_network_that_learnt_too_coarse_steps_changes_its_mind(digits):
    network = trained(digits, method="euler", steps=8)
    for block in network.modules():
        if isinstance(block, ODEBlock):
            block.t_span = (0.0, 40.0)  # steps of 5: Euler's states are far from the solution
    look = second_look(network, digits.x_test, digits.y_test, 256)
    assert look is not None
    assert look.label_changes > 0.02


def test_the_network_has_its_own_solver_back_afterwards(digits):
    network = trained(digits, method="rk4", steps=2)
    before = [block.solver for block in network.modules() if isinstance(block, ODEBlock)]
    second_look(network, digits.x_test, digits.y_test, 256)
    assert [block.solver for block in network.modules() if isinstance(block, ODEBlock)] == before


def test_a_network_that_cannot_be_solved_so_has_no_second_look_and_its_own_solver_back(digits):
    block = ODEBlock(lambda t, y: 1e3 + y * y, method="euler", steps=1)
    network = torch.nn.Sequential(torch.nn.Flatten(), block)
    assert second_look(network, digits.x_test, digits.y_test, 256) is None
    assert block.solver.method.name == "euler"


def test_a_network_without_an_ode_has_none(digits):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    assert second_look(network, digits.x_test, digits.y_test, 256) is None
