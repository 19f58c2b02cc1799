"""A likelihood is that of the network's ODE: what a coarse solver makes of it does not count."""

import dataclasses
import functools

import pytest
import torch

from rkbench import Model, ModelTask, ODEBlock, Recipe, Score, registry, suite
from rkbench.experiments import training
from rkbench.interface import make_solver
from rkbench.plan import blank_record, expand
from rkbench.train import TrainingError

[CELL] = expand(
    suite.select(suite.load("quick"), tasks=["cnf_moons[epochs=1]"], methods=["rk4"], seeds=1),
    registry.default(),
)
LIKELIHOOD = Score("NLL", "nats", tight=True)


class Decay(torch.nn.Module):
    """y' = r y, with a rate that is hardly trained."""

    def __init__(self, rate):
        super().__init__()
        self.rate = torch.nn.Parameter(torch.tensor(rate))

    def forward(self, t, y):
        return self.rate * y


def model(solver, rate):
    """One step of Euler's method brings 1 to 1 + r, where the ODE brings it to exp(r)."""
    x = torch.ones(10, 1)
    network = ODEBlock(Decay(rate), solver=solver)
    return Model(network, (x,), (x,), None, lambda network, batch: network(batch[0])[:, 0])


def recorded(score, rate=-1.0, target=0.1):
    task = ModelTask(
        "decay", functools.partial(model, rate=rate), Recipe(epochs=1, learning_rate=1e-6), score, target
    )
    record = blank_record(CELL)
    training.measure(
        dataclasses.replace(CELL, epochs=1), task, make_solver("euler", steps=1), record, lambda row: None
    )
    return record


def test_it_is_found_at_a_tight_tolerance_after_every_epoch_and_in_the_end():
    record = recorded(LIKELIHOOD)
    assert record.test_loss == pytest.approx(0, abs=1e-4)
    assert record.test_score == pytest.approx(0.3679, abs=1e-3)
    assert record.curve[-1]["test_score"] == record.test_score
    assert record.tight_score_change == 0


def test_what_the_own_solver_makes_of_it_is_still_seen():
    own, *_, tight = recorded(LIKELIHOOD).looks
    assert own["test_score"] == pytest.approx(0, abs=1e-4)
    assert tight["score_change"] == pytest.approx(0.3679, abs=1e-3)


def test_a_target_that_only_the_own_solver_reaches_is_not_reached():
    assert recorded(LIKELIHOOD).seconds_to_target is None
    assert recorded(LIKELIHOOD, target=0.4).seconds_to_target is not None


def test_other_scores_are_those_under_the_own_solver():
    record = recorded(Score("error"))
    assert record.test_score == pytest.approx(0, abs=1e-4)
    assert record.tight_score_change == pytest.approx(0.3679, abs=1e-3)
    assert record.seconds_to_target is not None


def test_a_network_whose_ode_cannot_be_solved_has_none():
    with pytest.raises(TrainingError, match="cannot be solved at a tight tolerance; take smaller steps"):
        recorded(LIKELIHOOD, rate=1e4)
