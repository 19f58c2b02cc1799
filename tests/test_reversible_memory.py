"""A reversible solve keeps nothing per step, there and back; backprop on the same grid keeps every stage."""

import pytest
import torch
from test_gradient_memory import DEPTH, STATE, WIDTH, deep

import rkbench
from rkbench.memory import peak_tensor_mb


def peak(engine, method, steps):
    """Return the peak of a forward and a backward pass, in states."""

    def work():
        y0 = torch.ones(WIDTH, dtype=torch.float64, requires_grad=True)
        solution = rkbench.solve(
            deep, y0, (0.0, 1.0), t_eval=(1.0,), method=method, steps=steps, engine=engine
        )
        solution.y.sum().backward()

    return peak_tensor_mb(work, torch.device("cpu")) / STATE


@pytest.mark.parametrize(
    ("engine", "method"), [("reversible", "euler"), ("reversible", "rk4"), ("reversible_heun", "heun2")]
)
def test_memory_does_not_grow_with_the_steps(engine, method):
    few, many = (peak(engine, method, steps) for steps in (5, 100))
    assert few == many < 10 * DEPTH


def test_the_same_gauge_sees_backprop_grow():
    few, many = (peak("rkbench", "heun2", steps) for steps in (5, 25))
    assert many - few >= 20 * 2 * DEPTH
