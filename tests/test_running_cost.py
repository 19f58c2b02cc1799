"""A running cost is the integral that it says, adds to the loss what it is worth, and leaves the network as it was."""

import copy

import pytest
import torch
from torch import nn

from rkbench import ODEBlock
from rkbench.classification import Classification
from rkbench.data import Dataset
from rkbench.measure import Meter, audit
from rkbench.networks.running_cost import add_running_cost
from rkbench.objective import Objective
from rkbench.task import Recipe

X = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Turning(nn.Module):
    """y' = A y, of which both integrals are known."""

    def __init__(self, n=3):
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        )

    def forward(self, t, y):
        return torch.einsum("ij,bj...->bi...", self.weight, y)


def costed(kinetic=0.0, jacobian=0.0, **options):
    block = ODEBlock(Turning(), **({"method": "dopri5", "rtol": 1e-10, "atol": 1e-10} | options))
    network = nn.Sequential(block)
    add_running_cost(network, kinetic, jacobian)
    return network


def spent(network, x=X):
    network(x)
    return network[0].f.penalty()


def test_the_kinetic_energy_is_the_integral_of_the_squared_slope():
    network, weight = costed(kinetic=2.0), Turning().weight.detach()
    times, h = torch.linspace(0, 1, 2001, dtype=torch.float64), 1 / 2000
    paths = torch.stack([X @ torch.matrix_exp(t * weight).T for t in times])
    rates = 2 * (paths @ weight.T).square().mean((1, 2))
    expected = torch.trapezoid(rates, dx=h)
    torch.testing.assert_close(spent(network), expected, rtol=1e-6, atol=0)


def test_the_jacobian_norm_is_that_of_f_in_the_mean_over_its_noise():
    torch.manual_seed(0)
    network, weight = costed(jacobian=1.0, method="rk4", steps=1), Turning().weight.detach()
    many = X[:1].expand(20_000, 3)
    expected = weight.square().sum() / 3
    torch.testing.assert_close(spent(network, many), expected, rtol=0.03, atol=0)


@pytest.mark.parametrize("gradient", ["backprop", "checkpoint", "adjoint"])
@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.5, 0.5)])
def test_its_gradient_is_that_of_finite_differences(gradient, weights):
    network = (
        costed(*weights, gradient=gradient, adjoint_rtol=1e-10, adjoint_atol=1e-10)
        if (gradient == "adjoint")
        else costed(*weights, gradient=gradient, method="rk4", steps=3)
    )
    parameter = next(network.parameters())

    def loss():
        torch.manual_seed(3)
        network(X)
        return network[0].f.penalty()

    loss().backward()
    found, direction = parameter.grad, torch.randn(3, 3, dtype=torch.float64)
    with torch.no_grad():
        values = []
        for sign in (1, -1):
            parameter.add_(direction, alpha=sign * 1e-5)
            values.append(loss())
            parameter.add_(direction, alpha=-sign * 1e-5)
    numerical = (values[0] - values[1]) / 2e-5
    torch.testing.assert_close((found * direction).sum(), numerical, rtol=1e-5, atol=1e-7)


def test_the_state_is_that_without_a_cost():
    plain = ODEBlock(Turning(), "rk4", steps=4)
    torch.testing.assert_close(costed(1.0, 1.0, method="rk4", steps=4)(X), plain(X), rtol=0, atol=1e-14)


def test_images_get_a_channel_and_lose_it_again():
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    assert costed(1.0, 1.0, method="rk4", steps=1)(x).shape == x.shape


def test_a_network_in_evaluation_is_solved_as_if_it_had_no_cost():
    network, plain = costed(1.0).eval(), ODEBlock(Turning(), "dopri5", rtol=1e-10, atol=1e-10)
    assert torch.equal(network(X), plain(X))
    assert network[0].last_stats == plain.last_stats
    with pytest.raises(RuntimeError, match="after a solve in training"):
        network[0].f.penalty()


def test_the_harness_counts_the_same_evaluations_as_the_engine_claims():
    network = costed(1.0, 1.0, method="rk4", steps=4)
    meter = Meter(network)
    with audit(meter.fields):
        network(X).sum().backward()
        counts = meter.read()
    assert (counts.calls, counts.claimed) == (16, 16)


def test_the_objective_is_cross_entropy_plus_the_cost_of_every_block():
    torch.manual_seed(0)
    network = nn.Sequential(
        ODEBlock(Turning(), "rk4", steps=2), nn.Linear(3, 3).double(), ODEBlock(Turning(), "rk4", steps=2)
    )
    labels = torch.arange(5) % 3
    lesson = Classification(Dataset("made up", X, labels, X, labels, ""), Recipe(epochs=1))
    bare, _ = Objective(copy.deepcopy(network), lesson)((X, labels))
    add_running_cost(network, 0.5, 0.0)
    loss, entropy = Objective(network, lesson)((X, labels))
    torch.testing.assert_close(entropy, bare.detach())
    network(X)
    costs = network[0].f.penalty() + network[2].f.penalty()
    torch.testing.assert_close(loss - entropy, costs)


def test_a_network_can_be_copied_between_steps():
    network = costed(1.0, 1.0, method="rk4", steps=1)
    twin = copy.deepcopy(network)
    loss = spent(twin)
    loss.backward()
    assert next(twin.parameters()).grad is not None
    assert next(network.parameters()).grad is None
