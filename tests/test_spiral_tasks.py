"""The spiral is learnt by an ODE-net and a recurrent network alike: same data, as many parameters, same score."""

from dataclasses import replace

import pytest
import torch

from rkbench import UserError, registry
from rkbench.interface import make_solver
from rkbench.modelling import Modelling
from rkbench.tasks import spiral
from rkbench.train import Training

ODE, GRU = (registry.default().task(name) for name in ("spiral", "spiral_gru"))


def built(task, seed=0, **options):
    torch.manual_seed(seed)
    return task.model(make_solver("rk4", steps=3) if task.solves else None, **options)


def parameters(model):
    return sum(p.numel() for p in model.network.parameters())


def test_both_have_as_many_parameters():
    assert parameters(built(ODE)) == pytest.approx(parameters(built(GRU)), rel=0.02)
    width, hidden = 32, 5
    assert parameters(built(ODE, width=width)) == 5 * width + 2
    assert parameters(built(GRU, hidden=hidden)) == 3 * hidden**2 + 17 * hidden + 2


def test_both_see_the_same_data_whatever_the_seed():
    one, other = built(ODE), built(GRU, seed=5)
    for mine, theirs in zip((*one.train, *one.test), (*other.train, *other.test), strict=True):
        assert torch.equal(mine, theirs)


def test_both_are_judged_alike():
    assert (ODE.score, ODE.target, ODE.subject) == (GRU.score, GRU.target, GRU.subject)
    assert not GRU.solves


def test_windows_are_consecutive_observations_at_irregular_times():
    start, t, later = spiral.windows(40, 5, 0.0, torch.Generator().manual_seed(0))
    assert (t.shape, later.shape) == ((35, 5), (35, 5, 2))
    assert torch.equal(start[1:], later[:-1, 0])
    assert torch.allclose(t[1:, 0], t[:-1, 1] - t[:-1, 0])
    assert (t.diff(dim=1) > 0).all()
    assert t[:, 0].std() > 0.1 * t[:, 0].mean()


def test_what_is_held_out_was_never_seen_and_carries_no_noise():
    (start, *_), (held_out, t, later) = (
        built(ODE, noise=0.1, observations=60).train,
        built(ODE, observations=60).test,
    )
    assert torch.cdist(start, held_out).min() > 0
    f = spiral.f(t, held_out)
    near = t[:, :1] < 0.02
    assert near.any()
    assert torch.allclose(later[:, 0][near[:, 0]], (held_out + t[:, :1] * f)[near[:, 0]], atol=0.1)


def test_noise_is_as_large_as_asked():
    clean, noisy = (built(ODE, noise=noise).train for noise in (0.0, 0.1))
    assert float((noisy[0] - clean[0]).std()) == pytest.approx(0.1, rel=0.1)
    assert torch.equal(noisy[1], clean[1])


@pytest.mark.parametrize("task", [ODE, GRU])
def test_a_few_steps_of_training_lower_the_loss(task):
    recipe = replace(task.recipe, epochs=4)
    model = built(task, observations=210)
    training = Training(model.network, Modelling(model, recipe, task.score, "cpu"), recipe, recipe.epochs, 0)
    before = training.evaluate(training.lesson.training())[0]
    training.run(lambda row: None)
    assert training.evaluate(training.lesson.training())[0] < 0.5 * before


@pytest.mark.parametrize("places", [0, 20])
def test_windows_longer_than_the_spiral_are_refused(places):
    with pytest.raises(UserError, match="give more observations than places"):
        built(ODE, observations=20, places=places)
