"""The systems whose trajectories are learnt are those of the literature: constants of motion, fixed points, periods."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from rkbench.interface import odeint
from rkbench.tasks import dynamics, spiral
from rkbench.tasks.systems import LORENZ, OSCILLATOR, PENDULUM, STIFF, lienard, van_der_pol

NOW = torch.zeros(())


def jacobian(f, y):
    return torch.func.jacrev(lambda state: f(NOW, state[None])[0])(torch.tensor(y, dtype=torch.float64))


def test_the_pendulum_keeps_its_energy_in_every_window():
    angle, speed = dynamics._windows(PENDULUM, 3).unbind(-1)
    energy = speed**2 / 2 - angle.cos()
    assert energy.std() > 0.1
    assert (energy - energy[:, :1]).abs().max() < 1e-7


@pytest.mark.parametrize("angle", [0.5, 2.0])
def test_the_pendulum_has_the_period_of_the_elliptic_integral(angle):
    start = torch.tensor([[angle, 0.0]], dtype=torch.float64)
    period = 4 * ellipk(math.sin(angle / 2) ** 2)
    y = odeint(PENDULUM.f, start, [0.0, period / 2, period], method="dop853", rtol=1e-10, atol=1e-10)
    assert torch.allclose(y[1:], torch.stack((-start, start)), atol=1e-7)


@pytest.mark.parametrize("mu", [1.0, 5.0])
@pytest.mark.parametrize("form", [van_der_pol, lienard])
def test_van_der_pol_leaves_its_fixed_point_at_the_rate_of_its_linear_part(form, mu):
    found = torch.linalg.eigvals(jacobian(form(mu), [0.0, 0.0]))
    assert torch.allclose(found.sum().real, torch.tensor(mu).double())
    assert torch.allclose(found.prod().real, torch.tensor(1.0).double())


def test_both_forms_of_van_der_pol_are_the_same_motion():
    mu = 5.0
    y, speed = torch.tensor([[1.5, -0.3, 0.2], [0.4, 2.0, -1.0]], dtype=torch.float64)
    w = y - y**3 / 3 - speed / mu
    plain, slow = (
        van_der_pol(mu)(NOW, torch.stack((y, speed), 1)),
        lienard(mu)(NOW, torch.stack((y, w), 1)),
    )
    acceleration = mu * (slow[:, 0] * (1 - y**2) - slow[:, 1])
    assert torch.allclose(torch.stack((slow[:, 0], acceleration), 1), plain)


def test_van_der_pol_ends_on_its_limit_cycle():
    late = dynamics._windows(OSCILLATOR, 3).unflatten(0, (3, OSCILLATOR.windows))[:, -8:]
    assert torch.allclose(late[..., 0].flatten(1).amax(1), torch.tensor(2.0086).double(), atol=2e-2)


def test_the_stiff_system_is_stiffer_than_the_other():
    rates = [torch.linalg.eigvals(jacobian(one.f, [2.0, 0.0])).real.amin() for one in (STIFF, OSCILLATOR)]
    assert rates[0] < 4 * rates[1] < 0


def test_lorenz_rests_where_lorenz_says_and_shrinks_volumes():
    far = math.sqrt(8 / 3 * 27)
    rest = torch.tensor([[0.0, 0, 0], [far, far, 27], [-far, -far, 27]], dtype=torch.float64)
    assert LORENZ.f(NOW, rest).abs().max() < 1e-12
    assert jacobian(LORENZ.f, [1.0, 2.0, 3.0]).trace() == pytest.approx(-(10 + 1 + 8 / 3))


def test_a_window_begins_where_the_one_before_it_ends():
    windows = dynamics._windows(OSCILLATOR, 3).unflatten(0, (3, OSCILLATOR.windows))
    assert torch.equal(windows[:, 1:, 0], windows[:, :-1, -1])


def test_the_spiral_is_that_of_scipy():
    times = (0.3, 1.0, 7.5, 24.0)
    matrix = np.array(spiral.MATRIX)
    other = solve_ivp(
        lambda t, y: matrix @ y**3, (0, 25), spiral.START, "DOP853", times, rtol=1e-10, atol=1e-10
    )
    assert torch.allclose(spiral._on(times), torch.tensor(other.y.T), atol=1e-7)
