"""The Jacobians of a trained flow are those of its closed form."""

import pytest
import torch
from torch import nn

from rkbench import ODEBlock
from rkbench.experiments.conditioning import conditioning

A = torch.tensor([[-1.0, 4.0, 0.0], [0.0, -2.0, 1.0], [0.5, 0.0, -0.5]], dtype=torch.float64)
X = torch.randn(12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def linear(t, y):
    return y @ A.T


def block(t_span=(0.0, 1.0), **options):
    return ODEBlock(linear, t_span=t_span, **({"method": "rk4", "steps": 50} | options))


def test_the_abscissas_are_those_of_the_matrix_and_of_its_symmetric_part():
    found = conditioning(nn.Sequential(block()), X)
    assert found.spectral_abscissa == pytest.approx(torch.linalg.eigvals(A).real.max().item(), abs=1e-10)
    assert found.numerical_abscissa == pytest.approx(
        torch.linalg.eigvalsh((A + A.T) / 2).max().item(), abs=1e-10
    )


@pytest.mark.parametrize("times", [(0.0, 1.0), (0.0, 0.4, 1.0)])
def test_the_condition_is_that_of_the_exponential_whether_one_block_leads_there_or_several(times):
    blocks = [block(span) for span in zip(times, times[1:], strict=False)]
    found = conditioning(nn.Sequential(*blocks, nn.Linear(3, 2).double()), X)
    assert found.condition == pytest.approx(torch.linalg.cond(torch.matrix_exp(A)).item(), rel=1e-6)


def test_the_largest_abscissa_of_all_blocks_counts():
    faster = ODEBlock(lambda t, y: 3 * y, "rk4", steps=10)
    found = conditioning(nn.Sequential(block(), faster), X)
    assert found.spectral_abscissa == pytest.approx(3, abs=1e-10)


def test_blocks_that_other_layers_stand_between_have_no_condition_together():
    found = conditioning(nn.Sequential(block(), nn.Tanh(), block()), X)
    assert found.condition is None


def test_a_state_of_many_numbers_has_no_condition():
    found = conditioning(nn.Sequential(ODEBlock(lambda t, y: -y, "euler", steps=2)), torch.ones(2, 1, 12, 12))
    assert found.condition is None
    assert found.spectral_abscissa == pytest.approx(-1, abs=1e-5)


def test_a_network_without_an_ode_has_none():
    assert conditioning(nn.Linear(3, 2), X.float()) is None


def test_the_network_is_left_as_it_was():
    network = nn.Sequential(block())
    weights = network.state_dict()
    conditioning(network, X)
    assert not network[0]._forward_hooks
    assert weights == network.state_dict()
