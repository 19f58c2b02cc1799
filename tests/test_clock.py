"""Under the clock are training steps alone: no warm-up, shuffling, audit or evaluation, and no queue of a device."""

import time

import pytest
import torch

from rkbench import data, measure
from rkbench.classification import Classification
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net
from rkbench.task import Recipe
from rkbench.train import Training

PAUSE = 0.3
"""Seconds: many times what an epoch of this training takes."""


@pytest.fixture
def training():
    torch.manual_seed(0)
    recipe = Recipe(epochs=1, batch_size=512)
    lesson = Classification(data.load("digits8"), recipe)
    return Training(tanh_net(make_solver("euler", steps=2), 64, 10), lesson, recipe, epochs=1, seed=0)


def slowed(work):
    def slow(*arguments, **options):
        time.sleep(PAUSE)
        return work(*arguments, **options)

    return slow


@pytest.mark.parametrize("part", ["warm_up", "lesson.epoch", "_audit", "evaluate"])
def test_what_is_not_a_training_step_takes_no_time(training, part):
    owner = training.lesson if part.startswith("lesson.") else training
    name = part.removeprefix("lesson.")
    setattr(owner, name, slowed(getattr(owner, name)))
    training.run(lambda row: None)
    assert training.curve[0]["seconds"] < PAUSE


def test_a_training_step_takes_its_time(training):
    training._steps = slowed(training._steps)
    training.warm_up = lambda: None
    training.run(lambda row: None)
    assert training.curve[0]["seconds"] >= PAUSE


def test_the_queue_of_the_device_is_empty_at_both_ends_of_the_clock(monkeypatch):
    order = []
    monkeypatch.setattr(measure, "synchronize", lambda device: order.append("synchronize"))
    clock = time.perf_counter
    monkeypatch.setattr(measure.time, "perf_counter", lambda: order.append("clock") or clock())
    measure.timed(lambda: order.append("work"), torch.device("cpu"))
    assert order == ["synchronize", "clock", "work", "synchronize", "clock"]
