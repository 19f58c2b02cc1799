"""What a solver loses of a sample is recorded beside the score, for the models that can tell."""

import dataclasses
import functools

import pytest
import torch

from rkbench import Model, ModelTask, ODEBlock, Recipe, Score, UserError, registry, suite
from rkbench.experiments import training
from rkbench.interface import make_solver
from rkbench.lesson import Judged
from rkbench.modelling import Modelling
from rkbench.plan import blank_record, expand
from rkbench.train import Training

RECIPE = Recipe(epochs=1, batch_size=20)
[CELL] = expand(
    suite.select(suite.load("quick"), tasks=["cnf_moons[epochs=1]"], methods=["rk4"], seeds=1),
    registry.default(),
)


class Field(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, t, y):
        return self.layer(y)


def errors(network, batch):
    return (network(batch[0]) - batch[1]).square().sum(1)


def lost(network, batch):
    return (network(network(batch[0]), (1.0, 0.0)) - batch[0]).norm(dim=1)


def model(solver, **given):
    torch.manual_seed(0)
    x = torch.randn(50, 2)
    network = ODEBlock(Field(), solver=solver)
    told = {"loss": None, "errors": errors, "solver_errors": lost} | given
    return Model(network, (x, x.flip(1)), (x, x.flip(1)), **told)


def recorded(**given):
    solver = make_solver("midpoint", steps=2)
    task = ModelTask("told", functools.partial(model, **given), RECIPE, Score("RMSE", root=True), 0.1)
    record = blank_record(CELL)
    training.measure(dataclasses.replace(CELL, epochs=1), task, solver, record, lambda row: None)
    return record


def test_it_is_the_mean_over_the_test_set_after_training():
    kept = []

    def told(network, batch):
        kept.append(lost(network, batch))
        assert not network.training
        assert not kept[-1].requires_grad
        return kept[-1]

    found = recorded(solver_errors=told).solver_error
    assert [len(one) for one in kept] == [20, 20, 10]
    assert found == pytest.approx(torch.cat(kept).mean().item(), rel=1e-6)
    assert torch.cat(kept).min() > 0


def test_it_is_empty_for_a_model_that_does_not_tell():
    assert recorded(solver_errors=None).solver_error is None


def test_it_is_empty_where_the_way_back_fails_and_the_cell_stands():
    def failing(network, batch):
        strict = dataclasses.replace(make_solver("dopri5"), max_steps=1)
        return ODEBlock(lambda t, y: 100 * y, solver=strict)(batch[0]).norm(dim=1)

    record = recorded(solver_errors=failing)
    assert record.solver_error is None
    assert record.test_score is not None


def test_one_that_is_no_number_for_each_sample_is_refused():
    with pytest.raises(
        UserError, match=r"solver_errors\(network, batch\) must be one number for each sample"
    ):
        recorded(solver_errors=lambda network, batch: network(batch[0]))


def test_a_loss_that_is_none_is_the_mean_of_the_errors_and_costs_no_solve_of_its_own():
    solver = make_solver("midpoint", steps=2)
    own, spared = (
        Modelling(model(solver, loss=loss), RECIPE, Score("RMSE"), "cpu")
        for loss in (lambda network, batch: errors(network, batch).mean(), None)
    )
    network, batch = own.model.network, next(iter(own.test()))
    assert torch.equal(own.loss(network, batch), spared.loss(network, batch))
    with torch.no_grad():
        assert own.judge(network, batch) == spared.judge(network, batch) != Judged(0.0, 0.0, 20)
    counted = [
        Training(one.model.network, one, RECIPE, 1, 0).evaluate(one.test())[2] for one in (own, spared)
    ]
    assert counted == [8, 4]
