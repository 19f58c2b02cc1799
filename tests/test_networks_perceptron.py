"""The perceptron has one hidden layer, of the size of LeCun et al. (1998)."""

import pytest
import torch

from rkbench.networks.perceptron import perceptron


def test_it_has_the_parameters_of_the_literature():
    assert sum(p.numel() for p in perceptron(28 * 28, 10).parameters()) == 238_510


@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize("shape", [(1, 8, 8), (64,)])
def test_it_maps_images_to_logits_by_one_hidden_layer(samples, shape):
    torch.manual_seed(0)
    network, x = perceptron(64, 10, hidden=5), torch.randn(samples, *shape)
    w, b, v, c = network.parameters()
    logits = network(x)
    assert logits.shape == (samples, 10)
    torch.testing.assert_close(logits, torch.tanh(x.flatten(1) @ w.T + b) @ v.T + c)


def test_a_loss_reaches_every_parameter():
    network = perceptron(64, 10, hidden=5)
    network(torch.randn(3, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
