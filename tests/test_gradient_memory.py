"""What each gradient keeps until the backward pass grows with the steps as its name promises."""

import math

import pytest
import torch

import rkbench
from rkbench.memory import peak_tensor_mb
from rkbench.solver import GRADIENTS

WIDTH, DEPTH = 64, 5
STATE = WIDTH * 8 / 2**20
"""MiB of one state."""


def deep(t, y):
    """A field that keeps several activations for its gradient, each of the size of the state."""
    for _ in range(DEPTH):
        y = torch.tanh(y)
    return y


def peak(gradient, method, steps=None, **options):
    """Return the peak of a forward and a backward pass, in states."""

    def work():
        y0 = torch.ones(WIDTH, dtype=torch.float64, requires_grad=True)
        options_ = {"method": method, "steps": steps, "gradient": gradient, "t_eval": (1.0,)} | options
        rkbench.solve(deep, y0, (0.0, 1.0), **options_).y.sum().backward()

    return peak_tensor_mb(work, torch.device("cpu")) / STATE


def growth(gradient, method):
    """Return the states that one more step keeps."""
    return (peak(gradient, method, 40) - peak(gradient, method, 10)) / 30


@pytest.mark.parametrize(("method", "stages"), [("euler", 1), ("rk4", 4)])
def test_backprop_keeps_the_activations_of_every_stage(method, stages):
    assert growth("backprop", method) == pytest.approx(DEPTH * stages, rel=0.02)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_checkpoint_keeps_one_state_per_step_however_many_stages(method):
    assert growth("checkpoint", method) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_interpolated_keeps_a_state_and_a_slope_per_step(method):
    assert growth("interpolated", method) == pytest.approx(2, rel=0.1)


def test_interpolated_keeps_the_coefficients_of_an_interpolation_that_the_method_has():
    assert growth("interpolated", "dopri5") == pytest.approx(1 + 4, rel=0.1)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_adjoint_keeps_nothing_per_step(method):
    assert growth("adjoint", method) == pytest.approx(0, abs=0.01)  # f's times are tensors, too


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_segments_keep_two_square_roots(method):
    base = peak("segments", method, 1)
    for steps in (16, 64, 144):
        assert peak("segments", method, steps) - base == pytest.approx(2 * math.sqrt(steps), abs=3)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_binomial_keeps_a_logarithm(method):
    base = peak("binomial", method, 1)
    for steps in (15, 63, 127):
        assert peak("binomial", method, steps) - base == pytest.approx(math.log2(steps + 1), abs=3)


@pytest.mark.parametrize(("gradient", "most"), [("segments", 24), ("binomial", 5)])
def test_an_adaptive_solve_keeps_the_law_without_knowing_its_steps(gradient, most):
    """A method with FSAL keeps a slope with each state; 17 and 279 steps, here."""
    few, many = (peak(gradient, "bosh3", rtol=tol, atol=tol, max_steps=10**6) for tol in (1e-6, 1e-10))
    assert many - few < 2 * 1.3 * most


@pytest.mark.parametrize("gradient", ["segments", "binomial"])
def test_as_many_states_are_kept_as_were_asked_for(gradient):
    few, many = (peak(gradient, "rk4", 100, checkpoints=c) for c in (10, 30))
    apart = (25 + 4) - (10 + 10) if gradient == "segments" else 30 - 10
    assert many - few == pytest.approx(apart, abs=2)


def test_at_many_steps_the_roads_are_far_apart():
    rise = {gradient: peak(gradient, "rk4", 128) - peak(gradient, "rk4", 2) for gradient in GRADIENTS}
    apart = ["backprop", "checkpoint", "segments", "binomial", "adjoint"]
    for more, less in zip(apart, apart[1:], strict=False):
        assert rise[more] > 2 * rise[less]
    assert rise["checkpoint"] < rise["interpolated"] < 3 * rise["checkpoint"]
