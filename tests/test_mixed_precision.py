"""In mixed precision f computes in bfloat16, and nothing else does."""

import pytest
import torch

from rkbench import ODEBlock, registry, suite
from rkbench.errors import SuiteError
from rkbench.interface import make_solver
from rkbench.networks.convolutional import ConvField
from rkbench.networks.mixed import Mixed, in_mixed_precision
from rkbench.networks.tanh import tanh_net
from rkbench.plan import expand

X = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


def net():
    torch.manual_seed(0)
    return tanh_net(make_solver("rk4", steps=2), 6, 3)


def test_slopes_are_rounded_to_bfloat16_and_handed_on_in_the_type_of_the_state():
    exact, mixed = torch.nn.Linear(6, 6), None
    mixed = Mixed(lambda t, y: exact(y))
    k = mixed(torch.tensor(0.0), X)
    assert k.dtype == torch.float32
    assert torch.equal(k, k.bfloat16().float())
    assert 0 < (k - exact(X)).abs().max() < 0.03


def test_states_and_parameters_stay_in_float32():
    network = in_mixed_precision(net())
    seen = []
    network[1].register_forward_hook(lambda block, inputs, output: seen.append(output))
    network(X)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not torch.equal(seen[0], seen[0].bfloat16().float())


@pytest.mark.parametrize("gradient", ["backprop", "checkpoint", "adjoint"])
def test_the_gradient_is_that_of_float32_to_the_precision_of_f(gradient):
    def gradients(mixed):
        torch.manual_seed(0)
        block = ODEBlock(ConvField(4), "rk4", steps=2, gradient=gradient)
        block = in_mixed_precision(torch.nn.Sequential(block)) if mixed else block
        x = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(1))
        block(x).square().mean().backward()
        return torch.cat([p.grad.flatten() for p in block.parameters()])

    mixed, exact = gradients(True), gradients(False)
    assert 0 < (mixed - exact).norm() / exact.norm() < 0.2


def test_a_network_without_a_solver_is_in_mixed_precision_as_a_whole():
    linear = torch.nn.Linear(6, 3)
    logits = in_mixed_precision(linear)(X)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, logits.bfloat16().float())


def test_an_initial_value_problem_is_refused_in_mixed_precision():
    chosen = suite.select(suite.load("precision"), tasks=["lorenz"], dtype="bf16_mixed")
    with pytest.raises(SuiteError, match="give dtype"):
        expand(chosen, registry.default())


class _Model(torch.nn.Linear):
    def loss(self, pair):
        return (self(pair[0]) - pair[1]).square().mean()


def test_a_network_without_an_ode_is_asked_by_its_own_methods_in_mixed_precision_too():
    network = in_mixed_precision(_Model(64, 64))
    pair = (torch.randn(8, 64), torch.zeros(8, 64))
    assert isinstance(network, Mixed)
    assert network.in_features == 64
    with torch.autocast("cpu", torch.bfloat16):
        expected = network.f.loss(pair)
    assert torch.equal(network.loss(pair), expected)
    assert not torch.equal(network.loss(pair), network.f.loss(pair))
    with pytest.raises(AttributeError):
        network.gain  # noqa: B018
