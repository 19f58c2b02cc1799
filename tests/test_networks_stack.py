"""Stacks of dense layers: their sizes, what a layer computes, and how its weights are drawn."""

from typing import Any

import pytest
import torch

from rkbench.errors import UserError
from rkbench.networks.stack import plain_stack, residual_stack


def size(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("build", [lambda: plain_stack(64, 5, "tanh"), lambda: residual_stack(64, 5)])
def test_every_layer_has_weights_of_its_own(build):
    network = build()
    assert size(network) == 5 * (64 * 64 + 64)
    assert not torch.equal(network[0](torch.ones(1, 64)), network[1](torch.ones(1, 64)))


@pytest.mark.parametrize(("activation", "sigma"), [("sigmoid", torch.sigmoid), ("tanh", torch.tanh)])
def test_a_plain_layer_is_an_activation_of_an_affine_map(activation, sigma):
    layer: Any = plain_stack(3, 1, activation)[0]
    h = torch.randn(2, 3)
    assert torch.equal(layer(h), sigma(h @ layer.linear.weight.T + layer.linear.bias))


@pytest.mark.parametrize(("scaled", "step"), [(False, 1.0), (True, 0.25)])
def test_a_residual_layer_adds_to_its_input(scaled, step):
    layer: Any = residual_stack(3, 4, scaled=scaled)[2]
    h = torch.randn(2, 3)
    torch.testing.assert_close(
        layer(h) - h, step * torch.tanh(h @ layer.f.linear.weight.T + layer.f.linear.bias)
    )


def test_one_seed_gives_plain_and_residual_stacks_the_same_weights():
    torch.manual_seed(0)
    plain = plain_stack(8, 3, "sigmoid")
    torch.manual_seed(0)
    residual = residual_stack(8, 3)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), residual.parameters(), strict=True))


@pytest.mark.parametrize(("init", "variance"), [("torch", 1 / (3 * 256)), ("xavier", 1 / 256)])
def test_weights_have_the_variance_of_their_initialisation(init, variance):
    torch.manual_seed(0)
    layer: Any = plain_stack(256, 1, "tanh", init)[0]
    assert float(layer.linear.weight.detach().var()) == pytest.approx(variance, rel=0.02)
    assert bool((layer.linear.bias == 0).all()) == (init == "xavier")


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: plain_stack(2, 0, "tanh"), "give depth=4"),
        (lambda: residual_stack(2, -1), "give depth=4"),
        (lambda: plain_stack(2, 1, "relu"), "choose one of: sigmoid, tanh"),
        (lambda: plain_stack(2, 1, "tanh", "kaiming"), "choose one of: torch, xavier"),
    ],
)
def test_what_is_no_stack_is_refused_in_a_sentence(build, sentence):
    with pytest.raises(UserError, match=sentence):
        build()
