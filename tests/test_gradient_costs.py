"""The table of what each road's way back costs, in `rkbench.integrate.gradients`, is the truth for equal steps."""

import math

import pytest
import torch

import rkbench
from rkbench.integrate.gradients.schedule import fewest_advances, snapshot_steps
from rkbench.solver import GRADIENTS


def counted(gradient, method, steps, **options):
    """Return the evaluations of f and the products of a backward pass, counted and claimed."""
    weight = torch.eye(2, requires_grad=True)
    calls = [0, 0]

    def product(gradient):
        calls[1] += 1

    def f(t, y):
        k = torch.tanh(y @ weight)
        calls[0] += 1
        if k.requires_grad:
            k.register_hook(product)
        return k

    solution = rkbench.solve(
        f, torch.ones(1, 2), (0.0, 1.0), method=method, steps=steps, gradient=gradient, **options
    )
    calls[:] = 0, 0
    solution.y[-1].sum().backward()
    return tuple(calls), (solution.stats.nfe_backward, solution.stats.vjps)


def evaluations(gradient, s, n):
    """Return the table's entry."""
    c = n.bit_length()
    segments = math.ceil(n / math.ceil(n / math.ceil(math.sqrt(n))))
    return {
        "backprop": 0,
        "checkpoint": s * n,
        "segments": s * (2 * n - segments),
        "binomial": s * (n + fewest_advances(n, c) - snapshot_steps(n, c)[-1]),
        "adjoint": s * n,
        "interpolated": s * n,
    }[gradient]


@pytest.mark.parametrize("steps", [1, 2, 10, 37])
@pytest.mark.parametrize(("method", "stages"), [("euler", 1), ("rk4", 4), ("dopri5", 6)])
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_the_way_back_costs_what_the_table_says(gradient, method, stages, steps):
    found, claimed = counted(gradient, method, steps)
    assert found == claimed == (evaluations(gradient, stages, steps), stages * steps)


@pytest.mark.parametrize(("steps", "snapshots", "advances"), [(10, 3, 15), (40, 5, 92), (60, 3, 234)])
def test_the_snapshots_asked_for_cost_what_the_literature_says(steps, snapshots, advances):
    (evaluations, _), _ = counted("binomial", "euler", steps, checkpoints=snapshots)
    assert evaluations == steps + advances - snapshot_steps(steps, snapshots)[-1]


def test_products_with_a_gradient_that_is_zero_are_not_taken():
    """The last stage of an FSAL method serves the error estimate, and opens the next step if there is one."""
    for gradient in ("backprop", "checkpoint", "segments", "binomial"):
        weight = torch.eye(2, requires_grad=True)
        solution = rkbench.solve(
            lambda t, y, w=weight: torch.tanh(y @ w), torch.ones(1, 2), (0.0, 1.0), gradient=gradient
        )
        assert solution.stats.vjps == 6 * solution.stats.accepted
