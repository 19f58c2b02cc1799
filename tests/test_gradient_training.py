"""A network trains through the harness by every road, and the harness's counts are those the roads claim."""

import pytest
import torch

from rkbench import data
from rkbench.classification import Classification
from rkbench.interface import make_solver
from rkbench.networks.block import ODEBlock
from rkbench.networks.tanh import tanh_net
from rkbench.solver import GRADIENTS
from rkbench.task import Recipe
from rkbench.train import Training

SOLVERS = {
    "rk4": {"method": "rk4", "steps": 3},
    "dopri5": {"method": "dopri5", "rtol": 1e-3, "atol": 1e-3},
}


def trained(solver, gradient):
    """Return one epoch's training, and the statistics of every forward pass after the warm-up."""
    torch.manual_seed(0)
    solver = make_solver(**SOLVERS[solver], gradient=gradient)
    recipe = Recipe(epochs=1, batch_size=256)
    lesson = Classification(data.load("digits8"), recipe)
    training = Training(tanh_net(solver, 64, 10), lesson, recipe, epochs=1, seed=0)
    claims = []
    for block in training.network.modules():
        if isinstance(block, ODEBlock):
            block.register_forward_hook(lambda block, inputs, output: claims.append(block.last_stats))
    warm_up = training.warm_up
    training.warm_up = lambda: (warm_up(), claims.clear())
    training.run(lambda row: None)
    return training, claims


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_harness_counts_what_the_road_claims(solver, gradient):
    training, claims = trained(solver, gradient)
    log = training.log
    steps = claims[: len(log.nfe_forward)]
    assert log.nfe_forward == [stats.nfe for stats in steps]
    assert log.nfe_backward == [stats.nfe_backward for stats in steps]
    assert training.vjps == [claims[len(steps)].vjps]  # the audit follows the steps
    assert (log.nfe_backward[0] > 0) == (gradient != "backprop")


@pytest.mark.parametrize("road", ["segments", "binomial"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_keeping_few_states_trains_the_network_of_backprop_to_round_off(solver, road):
    losses = [trained(solver, gradient)[0].curve[-1]["test_loss"] for gradient in ("backprop", road)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)  # in float32


@pytest.mark.parametrize("solver", SOLVERS)
def test_checkpoint_trains_the_very_network_that_backprop_trains(solver):
    expected, _ = trained(solver, "backprop")
    found, _ = trained(solver, "checkpoint")
    for e, f in zip(expected.network.parameters(), found.network.parameters(), strict=True):
        assert torch.equal(e, f)


@pytest.mark.parametrize("road", ["adjoint", "interpolated"])
def test_the_continuous_gradients_train_as_well_as_backprop(road):
    losses = [trained("rk4", gradient)[0].curve[-1]["test_loss"] for gradient in ("backprop", road)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
