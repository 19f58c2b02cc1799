"""A planar flow begins near the identity, can be undone step by step, and weighs as much as the flow beside it."""

import pytest
import torch

from rkbench.interface import make_solver
from rkbench.networks.normal import normal_surprise
from rkbench.networks.planar import PlanarFlow
from rkbench.tasks.densities import flow, moons
from rkbench.tasks.densities import planar as planar_model


def planar(steps=250, seed=0):
    torch.manual_seed(seed)
    return PlanarFlow(2, steps).double()


def points(count=5):
    return torch.randn(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_it_begins_near_the_identity():
    x = points(200)
    assert (planar().surprise(x) - normal_surprise(x)).mean().abs() < 0.1


def test_its_logarithm_is_that_of_the_determinant():
    one, x = planar(3), points()
    with torch.no_grad():
        one.u.mul_(100)

    def way(row):
        """The same steps one by one, as the paper writes them but for the bend's constant."""
        z = row
        for w, u, b in zip(one.w, one.u, one.b, strict=True):
            product = w @ u
            bent = torch.log(1 + (torch.e - 1) * torch.exp(product)) - 1
            z = z + (u + (bent - product) * w / (w @ w)) * torch.tanh(w @ z + b)
        return z

    expected = torch.stack(
        [
            normal_surprise(way(row)[None])[0] - torch.autograd.functional.jacobian(way, row).logdet()
            for row in x
        ]
    )
    torch.testing.assert_close(one.surprise(x), expected, rtol=1e-10, atol=0)


def test_no_step_folds_the_plane_however_it_was_trained():
    one, x = planar(2), points()
    with torch.no_grad():
        one.u.copy_(-3 * one.w)  # w·u far below -1
    assert torch.isfinite(one.surprise(x)).all()


def test_it_has_as_many_parameters_as_the_continuous_flow():
    models = flow(make_solver("rk4", steps=1), draw=moons), planar_model(None, draw=moons)
    counts = [sum(weight.numel() for weight in model.network.parameters()) for model in models]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)
