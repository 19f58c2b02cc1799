"""A continuous normalizing flow is a change of variables: its density has mass 1, and its solver decides what is lost."""

import math

import pytest
import torch
from torch import nn

from rkbench.interface import make_solver
from rkbench.networks.field import TimeField
from rkbench.networks.flow import Flow
from rkbench.networks.normal import Standardised, normal_surprise
from rkbench.networks.planar import PlanarFlow

FINE = make_solver("rk4", steps=40)


def flow(solver=FINE, trace="exact", seed=0, size=1.0):
    """A flow with random weights, ``size`` times as large as they are drawn."""
    torch.manual_seed(seed)
    field = TimeField(2, 8).double()
    with torch.no_grad():
        field.outer.weight.mul_(size)
    return Flow(field, 2, solver, trace)


def points(count=6):
    return torch.randn(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class Linear(nn.Module):
    """y' = A y, whose divergence is the trace of A wherever it is."""

    def __init__(self):
        super().__init__()
        self.matrix = torch.tensor([[0.3, -1.2], [0.8, -0.5]], dtype=torch.float64)

    def forward(self, t, y, signs):
        return y @ self.matrix.T, self.matrix.trace().expand(len(y))


def test_a_linear_flow_changes_variables_as_its_matrix_exponential_does():
    x, field = points(), Linear()
    back = torch.linalg.matrix_exp(-field.matrix)
    expected = normal_surprise(x @ back.T) - torch.logdet(back)
    torch.testing.assert_close(Flow(field, 2, FINE).surprise(x), expected, rtol=1e-7, atol=0)


def test_its_logarithm_is_that_of_the_determinant_of_the_way():
    one = flow(size=4.0).eval()

    def way(row):
        return one.block(torch.cat((row, row.new_zeros(1)))[None])[0, :2]

    for row in points(3):
        expected = normal_surprise(way(row)[None]) - torch.func.jacrev(way)(row).logdet()
        torch.testing.assert_close(one.surprise(row[None]), expected, rtol=1e-5, atol=0)


def mass(density, reach=6.0, places=101):
    """The sum of a density over a square grid, which is exact to many digits where it is smooth and falls off in time."""
    axis = torch.linspace(-reach, reach, places, dtype=torch.float64)
    with torch.no_grad():
        surprise = density.surprise(torch.cartesian_prod(axis, axis))
    return float(torch.exp(-surprise).sum() * (axis[1] - axis[0]) ** 2)


def planar(steps=20):
    torch.manual_seed(0)
    return PlanarFlow(2, steps).double()


@pytest.mark.parametrize(
    "density", [flow(make_solver("rk4", steps=10), size=4.0).eval(), planar()], ids=["continuous", "planar"]
)
def test_the_mass_is_one_before_and_after_training(density):
    samples = points(200) * torch.tensor([1.0, 0.4], dtype=torch.float64) + 0.5
    whole = Standardised(density, samples)
    before = whole.surprise(samples).mean().item()
    assert mass(whole) == pytest.approx(1, abs=1e-4)
    optimizer = torch.optim.Adam(whole.parameters(), 0.05)
    for _ in range(20):
        optimizer.zero_grad()
        whole.surprise(samples).mean().backward()
        optimizer.step()
    assert whole.surprise(samples).mean().item() < before - 0.01
    assert mass(whole) == pytest.approx(1, abs=1e-4)


def test_a_coarse_solver_has_a_mass_of_its_own():
    """Its negative log-likelihood is none: with too few steps it may fall below the entropy of the data."""
    coarse = flow(make_solver("euler", steps=1), size=8.0).eval()
    assert abs(mass(coarse) - 1) > 0.05


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 3), ("kutta3", 3), ("rk4", 5)])
def test_what_is_lost_on_the_way_forth_and_back_falls_at_the_next_odd_order(method, order):
    """The leading errors, of order p, of the two ways cancel where p is even and add up where it is odd."""
    lost = []
    for steps in (16, 32):
        one = flow(make_solver(method, steps=steps), size=4.0).eval()
        with torch.no_grad():
            lost.append((one.round_trip(points()) - points()).norm(dim=1).mean().item())
    assert math.log2(lost[0] / lost[1]) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("trace", ["exact", "hutchinson"])
def test_the_gradient_is_that_of_finite_differences(trace):
    one, h = flow(make_solver("rk4", steps=3), trace, size=3.0), 1e-6

    def loss():
        torch.manual_seed(3)  # the same signs each time
        return one.surprise(points()).mean()

    loss().backward()
    for weight in one.parameters():
        assert weight.grad is not None
        flat, slope = weight.detach().view(-1), weight.grad.view(-1)
        ends = []
        for step in (h, -h):
            flat[0] += step
            ends.append(loss().item())
            flat[0] -= step
        assert float(slope[0]) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-9)


def test_samples_in_a_batch_are_what_they_are_alone():
    one, x = flow(make_solver("rk4", steps=5), size=3.0).eval(), points()
    alone = torch.cat([one.surprise(row) for row in x[:, None]])
    torch.testing.assert_close(one.surprise(x), alone, rtol=1e-12, atol=0)


def test_a_flow_is_judged_by_the_exact_divergence():
    estimated, exact, x = flow(trace="hutchinson", size=3.0), flow(size=3.0), points()
    assert (estimated.surprise(x) - exact.surprise(x)).abs().min() > 1e-4
    assert torch.equal(estimated.eval().surprise(x), exact.eval().surprise(x))


def test_signs_stay_with_their_samples_where_each_has_steps_of_its_own():
    x = points() * torch.tensor([[0.1], [4.0]] * 3, dtype=torch.float64)
    found = []
    for control in ("batch", "sample"):
        one = flow(make_solver("dopri5", rtol=1e-9, atol=1e-9, control=control), "hutchinson", size=3.0)
        torch.manual_seed(4)
        found.append(one.surprise(x))
    torch.testing.assert_close(found[1], found[0], rtol=1e-7, atol=0)


def test_every_gradient_goes_through_a_flow():
    found = []
    for gradient in ("backprop", "checkpoint", "adjoint"):
        one = flow(make_solver("dopri5", rtol=1e-9, atol=1e-9, gradient=gradient), "hutchinson", size=3.0)
        torch.manual_seed(5)
        weights = list(one.parameters())
        slopes = torch.autograd.grad(one.surprise(points()).mean(), weights)
        found.append(torch.cat([slope.view(-1) for slope in slopes]))
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=0)
    torch.testing.assert_close(found[2], found[0], rtol=1e-5, atol=1e-8)
