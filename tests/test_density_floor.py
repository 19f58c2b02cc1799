"""The entropies that stand beside the tasks are those of the densities that their samples come from."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ive

from rkbench import suite
from rkbench.tasks.densities import DENSITIES

ANGLES = (np.arange(200) + 0.5) / 200 * math.pi


def blurred(x, centres, width):
    """Equal normal distributions about centres ``[count, 2]``, at points ``[places, 2]``."""
    distance = ((x[:, None] - centres) ** 2).sum(2)
    return np.exp(-distance / (2 * width**2)).mean(1) / (2 * math.pi * width**2)


def moons(x):
    upper = np.stack((np.cos(ANGLES), np.sin(ANGLES)), 1)
    return blurred(x, np.concatenate((upper, (1, 0.5) - upper)) - (0.5, 0.25), 0.1)


def gaussians(x):
    angles = np.arange(8) * math.pi / 4
    return blurred(x, 2 * np.stack((np.cos(angles), np.sin(angles)), 1), 0.2)


def circles(x):
    """The integral over the angle is a Bessel function, here times exp(-r R / σ²)."""
    r, width = np.hypot(*x.T), 0.1
    return sum(
        ive(0, r * radius / width**2)
        * np.exp(-((r - radius) ** 2) / (2 * width**2))
        / (4 * math.pi * width**2)
        for radius in (1, 2)
    )


TRUE = {"moons": moons, "circles": circles, "gaussians": gaussians}


@pytest.mark.parametrize("name", DENSITIES)
def test_the_entropy_is_the_integral_of_the_surprise(name):
    axis = np.arange(-3.2, 3.2, 0.04)
    rows = (TRUE[name](np.stack((axis, np.full_like(axis, y)), 1)) for y in axis)
    p = np.concatenate(list(rows)) * 0.04**2
    assert p.sum() == pytest.approx(1, abs=1e-6)
    found = -np.sum(p * np.log(np.maximum(p, 1e-300) / 0.04**2))
    assert found == pytest.approx(DENSITIES[name].entropy, abs=1e-3)


@pytest.mark.parametrize("name", DENSITIES)
def test_samples_come_from_that_density(name):
    drawn = DENSITIES[name].draw(4000, torch.Generator().manual_seed(0)).double().numpy()
    surprise = -np.log(TRUE[name](drawn))
    slack = 4 * surprise.std() / math.sqrt(len(drawn))
    assert surprise.mean() == pytest.approx(DENSITIES[name].entropy, abs=slack)


def test_the_target_lies_above_the_entropy():
    assert all(known.entropy < known.target < known.entropy + 0.5 for known in DENSITIES.values())


def test_the_suite_shows_the_entropy_beside_what_was_learnt():
    shown = {row["dataset"]: row["test_score"] for row in suite.load("density").reference}
    assert shown == {name: known.entropy for name, known in DENSITIES.items()}
