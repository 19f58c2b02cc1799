"""Learnt dynamics are followed to given times: states, and gradients through the times, of every sample by itself."""

import pytest
import torch
from torch.func import functional_call

from rkbench.interface import make_solver
from rkbench.networks.recurrent_rollout import RecurrentRollout
from rkbench.networks.rollout import IrregularRollout, Rollout, StateField

TIMES = (0.0, 0.2, 0.5, 1.2)


@pytest.fixture(autouse=True)
def _double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def waits(samples, times=3):
    return (0.1 + torch.rand(samples, times)).cumsum(1)


def rk4(steps=3):
    return make_solver("rk4", steps=steps)


def checked(network, *inputs):
    """Compare gradients to weights and inputs with finite differences."""
    names, weights = zip(*network.named_parameters(), strict=True)

    def states(*leaves):
        return functional_call(network, dict(zip(names, leaves, strict=False)), leaves[len(names) :])

    leaves = [x.detach().clone().requires_grad_() for x in (*weights, *inputs)]
    return torch.autograd.gradcheck(states, leaves, atol=1e-7)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_gradients_through_equal_times_are_those_of_differences(method):
    network = Rollout(StateField(2, 3, cubed=True), TIMES, make_solver(method, steps=2))
    assert checked(network, torch.randn(2, 2))


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_gradients_through_times_of_their_own_are_those_of_differences(method):
    network = IrregularRollout(StateField(2, 3), make_solver(method, steps=2))
    assert checked(network, torch.randn(2, 2), waits(2))


def test_gradients_of_a_recurrent_network_are_those_of_differences():
    assert checked(RecurrentRollout(2, 3, 4.0), torch.randn(2, 2), waits(2))


def test_states_are_those_of_solves_that_end_there():
    field, y0 = StateField(2, 8, 2), torch.randn(4, 2)
    tight = make_solver("dopri5", rtol=1e-9, atol=1e-9)
    found = Rollout(field, TIMES, tight)(y0)
    for t, y in zip(TIMES[1:], found.unbind(1), strict=True):
        assert torch.allclose(Rollout(field, (0.0, t), tight)(y0)[:, 0], y, atol=1e-7)
        assert torch.allclose(IrregularRollout(field, tight)(y0, torch.full((4, 1), t))[:, 0], y, atol=1e-7)


@pytest.mark.parametrize(
    "network",
    [
        lambda: IrregularRollout(StateField(2, 5, cubed=True), rk4()),
        lambda: IrregularRollout(StateField(2, 5), make_solver("dopri5", rtol=1e-4, control="sample")),
        lambda: RecurrentRollout(2, 5, 4.0),
    ],
)
def test_a_batch_is_as_many_batches_of_one(network):
    network, y0, t = network(), torch.randn(5, 2), waits(5)
    apart = torch.cat([network(*one) for one in zip(y0.split(1), t.split(1), strict=True)])
    assert torch.allclose(network(y0, t), apart, rtol=1e-10, atol=1e-10)


def test_equal_times_are_the_same_for_a_batch_of_one():
    network, y0 = Rollout(StateField(2, 5), TIMES, rk4()), torch.randn(5, 2)
    assert torch.allclose(network(y0), torch.cat([network(one) for one in y0.split(1)]))


def test_a_recurrent_network_foretells_without_knowing_what_will_be_asked_next():
    network, y0, t = RecurrentRollout(2, 5, 4.0), torch.randn(3, 2), waits(3, 6)
    assert torch.equal(network(y0, t)[:, :2], network(y0, t[:, :2]))
    assert not torch.allclose(network(y0, t), network(y0, 2 * t))


def test_the_unit_of_time_of_a_recurrent_network_is_its_own():
    slow, fast = RecurrentRollout(2, 5, 1.0), RecurrentRollout(2, 5, 10.0)
    fast.load_state_dict(slow.state_dict())
    y0, t = torch.randn(3, 2), waits(3)
    assert torch.allclose(fast(y0, t / 10), slow(y0, t))
