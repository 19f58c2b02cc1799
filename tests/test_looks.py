"""A trained network is tried with other solvers: one that learnt its own changes its mind, an ODE-net does not."""

import pytest
import torch

from rkbench import ODEBlock, data
from rkbench.classification import Classification
from rkbench.experiments.looks import critical_steps, looks, tight
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net
from rkbench.task import Recipe
from rkbench.train import Training


@pytest.fixture(scope="module")
def digits():
    return data.load("digits8")


def trained(digits, **solver):
    torch.manual_seed(0)
    recipe = Recipe(epochs=2, batch_size=256)
    network = tanh_net(make_solver(**solver), 64, 10)
    training = Training(network, Classification(digits, recipe), recipe, epochs=2, seed=0)
    training.run(lambda row: None)
    return training.network


def looked(network, digits):
    return looks(network, digits.x_test, digits.y_test, 256)


def under(found):
    return [(look.by_method, look.by_steps, look.by_rtol) for look in found]


def test_equal_steps_are_halved_and_doubled_and_taken_by_another_method_and_a_tight_one(digits):
    found = looked(trained(digits, method="euler", steps=8), digits)
    assert under(found) == [
        ("euler", 8, None), ("euler", 4, None), ("euler", 16, None), ("euler", 32, None), ("rk4", 8, None),
        ("dopri5", None, 1e-5),
    ]  # fmt: skip
    assert [look.nfe for look in found[:5]] == [8, 4, 16, 32, 32]
    assert found[-1] == tight(found)


def test_tolerances_are_loosened_and_tightened(digits):
    found = looked(trained(digits, method="bosh3", rtol=1e-3, atol=1e-3), digits)
    assert under(found) == [
        ("bosh3", None, 1e-3), ("bosh3", None, 0.1), ("bosh3", None, 0.01), ("bosh3", None, 1e-4), ("dopri5", None, 1e-5),
    ]  # fmt: skip
    assert found[1].nfe < found[0].nfe < found[3].nfe


def test_the_first_look_is_at_its_own_solver_and_changes_nothing(digits):
    own = looked(trained(digits, method="rk4", steps=2), digits)[0]
    assert (own.accuracy_change, own.label_changes, own.logit_change) == (0, 0, 0)
    assert 0.5 < own.accuracy <= 1
    assert own.seconds > 0


def test_a_network_that_was_solved_well_keeps_its_mind(digits):
    look = tight(looked(trained(digits, method="rk4", steps=8), digits))
    assert look is not None
    assert (look.accuracy_change, look.label_changes) == (0, 0)
    assert 0 < look.logit_change < 1e-3


def test_a_network_that_learnt_too_coarse_steps_changes_its_mind(digits):
    network = trained(digits, method="euler", steps=8)
    for block in network.modules():
        if isinstance(block, ODEBlock):
            block.t_span = (0.0, 40.0)  # steps of 5: Euler's states are far from the solution
    look = tight(looked(network, digits))
    assert look is not None
    assert look.label_changes > 0.02


def test_the_network_has_its_own_solver_back_afterwards(digits):
    network = trained(digits, method="rk4", steps=2)
    before = [block.solver for block in network.modules() if isinstance(block, ODEBlock)]
    looked(network, digits)
    assert [block.solver for block in network.modules() if isinstance(block, ODEBlock)] == before


def test_a_solver_that_fails_is_left_out_and_the_network_has_its_own_back(digits):
    block = ODEBlock(lambda t, y: 1e3 + y * y, method="euler", steps=1)
    network = torch.nn.Sequential(torch.nn.Flatten(), block)
    found = looked(network, digits)
    assert found
    assert tight(found) is None
    assert block.solver.method.name == "euler"


def test_a_network_that_its_own_solver_fails_has_no_looks(digits):
    block = ODEBlock(lambda t, y: 1e3 + y * y, method="dopri5", rtol=1e-3, max_steps=20)
    assert looked(torch.nn.Sequential(torch.nn.Flatten(), block), digits) == []


def test_a_network_without_an_ode_has_none(digits):
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    assert looked(network, digits) == []


def test_the_critical_number_of_steps_is_the_least_that_answers_as_the_ode_does(digits):
    network = trained(digits, method="euler", steps=2)
    found = critical_steps(network, digits.x_test, 256)
    network.eval()
    labels = {}
    for steps in (found - 1, found, None):
        if steps is None:
            network[1].solver = make_solver("dopri5", rtol=1e-6, atol=1e-6)
        else:
            network[1].solver = make_solver("euler", steps=steps)
        with torch.no_grad():
            labels[steps] = network(digits.x_test).argmax(1)
    flips = {steps: int((label != labels[None]).sum()) for steps, label in labels.items()}
    assert flips[found] <= 1 < flips[found - 1]


def test_a_network_that_is_solved_well_by_one_step_has_one_critical_step(digits):
    network = trained(digits, method="dopri5", rtol=1e-5, atol=1e-5)
    assert critical_steps(network, digits.x_test, 256) == 1


def test_a_network_without_an_ode_has_no_critical_steps(digits):
    assert critical_steps(torch.nn.Linear(64, 10), digits.x_test.flatten(1), 256) is None
