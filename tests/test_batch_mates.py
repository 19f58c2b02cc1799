"""A batch that shares its steps shares its fate; equal steps and steps of one's own do not."""

import pytest
import torch

from rkbench import ODEBlock, data
from rkbench.experiments.batch_mates import SAMPLES, batch_mates
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net


@pytest.fixture(scope="module")
def digits():
    return data.load("digits8").x_test


def network(**solver):
    torch.manual_seed(0)
    return tanh_net(make_solver(**solver), 64, 10)


def test_shared_steps_change_logits_and_tight_ones_change_them_less(digits):
    loose, tight = (batch_mates(network(method="bosh3", rtol=r, atol=r), digits, 128) for r in (1e-1, 1e-5))
    assert loose is not None
    assert tight is not None
    assert 0 < tight.logit_change < 0.1 * loose.logit_change
    assert 0 <= tight.label_changes <= loose.label_changes <= 1


@pytest.mark.parametrize(
    "solver", [{"method": "rk4", "steps": 3}, {"method": "dopri5", "rtol": 1e-3, "control": "sample"}]
)
def test_equal_steps_and_steps_of_ones_own_have_no_batch_mates(digits, solver):
    assert batch_mates(network(**solver), digits, 128) is None


def test_answers_that_flip_are_counted(digits):
    def f(t, y):
        return y * torch.where(y.abs().amax() > 3.0, -1.0, 1.0)  # who is loudest decides for all

    block = ODEBlock(f, method="dopri5", rtol=1e-3)
    together = torch.nn.Sequential(torch.nn.Flatten(), block)
    x = torch.zeros(128, 2)
    x[:, 0], x[0, 1] = 1.0, 4.0
    mates = batch_mates(together, x, 128)
    assert mates is not None
    assert mates.label_changes == 0  # the order of the logits stays
    assert mates.logit_change > 1


def test_no_more_samples_than_a_batch_are_asked(digits):
    asked = []
    net = network(method="dopri5", rtol=1e-3)
    net.register_forward_hook(lambda module, inputs, output: asked.append(len(inputs[0])))
    batch_mates(net, digits, 64)
    assert asked == [64] + [1] * 64
    asked.clear()
    batch_mates(net, digits, 256)
    assert asked == [256] + [1] * SAMPLES


def test_a_network_that_cannot_be_solved_has_none(digits):
    block = ODEBlock(lambda t, y: 1e3 + y * y, method="dopri5", rtol=1e-3, max_steps=20)
    assert batch_mates(torch.nn.Sequential(torch.nn.Flatten(), block), digits, 64) is None
