"""Densities are tasks: the same samples for all, options that fit, and something learnt in a few steps."""

from dataclasses import replace

import pytest
import torch

from rkbench.errors import UserError
from rkbench.interface import make_solver
from rkbench.modelling import Modelling
from rkbench.registry import load
from rkbench.task import ModelTask, Recipe
from rkbench.tasks.densities import HELD_OUT, SCORE, flow, gaussians, planar
from rkbench.train import Training

MODELS = {
    "continuous": lambda **given: flow(make_solver("midpoint", steps=4), draw=gaussians, **given),
    "estimated": lambda **given: flow(
        make_solver("midpoint", steps=4), draw=gaussians, trace="hutchinson", **given
    ),
    "planar": lambda **given: planar(None, draw=gaussians, steps=40, **given),
}


def points(data):
    """The samples of a set that is a tuple of tensors."""
    assert isinstance(data, tuple)
    return data[0]


@pytest.mark.parametrize("name", MODELS)
def test_a_few_steps_tell_the_density_from_a_normal_one(name):
    torch.manual_seed(0)
    model = MODELS[name](samples=20_000)
    model = replace(model, test=(points(model.test)[:1000],))
    recipe = Recipe(epochs=1, batch_size=500, learning_rate=3e-2)
    training = Training(model.network, Modelling(model, recipe, SCORE, "cpu"), recipe, 1, 0)
    training.run(lambda row: None)
    normal = 0.5 * torch.logdet(torch.cov(points(model.train).T)).item() + 2.8379  # its entropy, log 2πe
    assert 1.65 < training.curve[0]["test_score"] < normal - 0.1


def test_the_held_out_samples_are_the_same_whatever_is_trained():
    few, many = MODELS["planar"](samples=100), MODELS["continuous"](samples=200)
    held_out, seen = points(few.test), points(many.train)
    assert torch.equal(held_out, points(many.test))
    assert (len(held_out), len(points(few.train)), len(seen)) == (HELD_OUT, 100, 200)
    assert not torch.isin(seen[:, 0], held_out[:, 0]).any()


def test_there_are_two_ways_to_find_a_trace():
    with pytest.raises(UserError, match="trace must be one of exact, hutchinson, not 'guess'"):
        flow(make_solver("rk4", steps=1), draw=gaussians, trace="guess")


def test_tasks_on_the_same_samples_have_one_subject_and_one_target():
    tasks = load().tasks
    for name in ("moons", "circles", "gaussians"):
        both = [tasks[f"{kind}_{name}"] for kind in ("cnf", "planar")]
        assert all(isinstance(task, ModelTask) and task.subject == name and task.score.tight for task in both)
        assert both[0].fingerprint() == both[1].fingerprint()
