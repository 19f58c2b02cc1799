"""The engine computes what the tableau says, on any state, in any direction."""

import itertools
import math

import pytest
import torch

import rkbench
from rkbench import registry

METHODS = sorted(registry.default().methods)
ADAPTIVE = [name for name, method in registry.default().methods.items() if method.adaptive]
WITH_DENSE_OUTPUT = [name for name, m in registry.default().methods.items() if m.interpolation is not None]


def growth(t, y):
    """y' = cos(t) y, so y(t) = exp(sin t - sin t0) y0."""
    return torch.cos(t) * y


def exact(t, t0=0.0):
    return math.exp(math.sin(t) - math.sin(t0))


def book_step(method, f, t, y, h):
    """One step as the book writes it, on Python floats."""
    k = []
    for c, row in zip(method.c, method.a, strict=True):
        k.append(f(t + float(c) * h, y + h * sum(float(a) * kj for a, kj in zip(row, k, strict=True))))
    return y + h * sum(float(b) * ki for b, ki in zip(method.b, k, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_equal_steps_are_the_steps_of_the_book(name):
    method = registry.default().method(name)
    y = 1.0
    for n in range(3):
        y = book_step(method, lambda t, y: math.cos(t) * math.sin(y), n * 0.5, y, 0.5)
    y0 = torch.ones(1, dtype=torch.float64)
    solution = rkbench.solve(lambda t, y: torch.cos(t) * torch.sin(y), y0, (0.0, 1.5), method=name, steps=3)
    assert solution.y[-1].item() == pytest.approx(y, rel=1e-12)


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.parametrize("norm", ["rms", "worst_sample"])
def test_adaptive_errors_follow_the_tolerance(name, norm):
    y0 = torch.ones(4, 3, dtype=torch.float64)
    solution = rkbench.solve(growth, y0, (0.0, 2.0), method=name, rtol=1e-5, atol=1e-5, norm=norm)
    assert solution.status is rkbench.Status.OK
    assert (solution.y[-1] - exact(2.0)).abs().max() < 5e-4


@pytest.mark.parametrize(
    "options", [{"method": "rk4", "steps": 40}, {"method": "dopri5", "rtol": 1e-7, "atol": 1e-7}]
)
def test_time_may_run_backwards(options):
    y0 = torch.ones(2, dtype=torch.float64)
    solution = rkbench.solve(growth, y0, (2.0, 0.0), **options)
    assert solution.y[-1].tolist() == pytest.approx([exact(0.0, t0=2.0)] * 2, abs=1e-6)
    assert all(h < 0 for h in solution.steps)


@pytest.mark.parametrize("name", WITH_DENSE_OUTPUT)
def test_dense_output_is_as_accurate_as_its_order(name):
    times = [0.1 * i for i in range(1, 20)]
    y0 = torch.ones(1, dtype=torch.float64)
    errors = []
    for steps in (16, 32):
        solution = rkbench.solve(growth, y0, (0.0, 2.0), method=name, steps=steps, t_eval=times)
        errors.append(max(abs(y.item() - exact(t)) for t, y in zip(times, solution.y, strict=True)))
    order = math.log2(errors[0] / errors[1])
    method = registry.default().method(name)
    assert order > min(method.order, method.interpolation_order + 1) - 0.2


@pytest.mark.parametrize("name", ["rk4", "bs5"])
def test_without_dense_output_steps_land_on_output_times(name):
    options = {"steps": 5} if name == "rk4" else {"rtol": 1e-6, "atol": 1e-6}
    times = (0.0, 0.33, 1.0, 1.77)
    y0 = torch.ones(1, dtype=torch.float64)
    solution = rkbench.solve(growth, y0, (0.0, 2.0), method=name, t_eval=times, **options)
    assert solution.t == times
    reached = [math.fsum(solution.steps[:n]) for n in range(len(solution.steps) + 1)]
    assert all(min(abs(t - r) for r in reached) < 1e-12 for t in times)
    assert solution.y[:, 0].tolist() == pytest.approx([exact(t) for t in times], rel=1e-2)


@pytest.mark.parametrize(("method", "nfe"), [("rk4", 40), ("euler", 10)])
def test_output_times_in_single_precision_add_no_step(method, nfe):
    times = torch.linspace(0, 1, 11).tolist()
    solution = rkbench.solve(growth, torch.ones(1), (0.0, 1.0), method=method, steps=10, t_eval=times)
    assert solution.t == tuple(times)
    assert solution.stats.nfe == nfe


def test_output_times_on_the_grid_add_no_step():
    """0.1 + 0.1 + 0.1 is not 0.3 in floating point; no step of one ulp is taken to mend that."""
    times = list(itertools.accumulate([0.1] * 9, initial=0.0)) + [1.0]
    solution = rkbench.solve(growth, torch.ones(1), (0.0, 1.0), method="rk4", steps=10, t_eval=times)
    assert solution.stats.accepted == 10


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize(
    "options", [{"method": "rk4", "steps": 8}, {"method": "bosh3", "rtol": 1e-2, "atol": 1e-2}]
)
def test_the_state_keeps_its_dtype(dtype, options):
    solution = rkbench.solve(lambda t, y: -y, torch.ones(3, 2, dtype=dtype), (0.0, 1.0), **options)
    assert solution.y.dtype is dtype
    assert solution.status is rkbench.Status.OK
    assert solution.y[-1].float().sub(math.exp(-1)).abs().max() < 2e-2


def test_half_precision_errors_do_not_overflow():
    y0 = torch.full((4,), 6e4, dtype=torch.float16)
    solution = rkbench.solve(lambda t, y: -y, y0, (0.0, 1.0), rtol=1e-2, atol=1e-2)
    assert solution.status is rkbench.Status.OK


def test_an_empty_interval_returns_the_initial_state_and_costs_nothing():
    y0 = torch.arange(3.0)
    for options in ({"method": "rk4", "steps": 3}, {"method": "dopri5"}):
        solution = rkbench.solve(growth, y0, (1.0, 1.0), **options)
        assert torch.equal(solution.y, torch.stack([y0, y0]))
        assert solution.stats.nfe == 0


@pytest.mark.parametrize("options", [{"method": "rk4", "steps": 3}, {"method": "dopri5"}])
def test_an_interval_of_one_ulp_ends(options):
    t1 = math.nextafter(1.0, 2.0)
    solution = rkbench.solve(growth, torch.ones(2, dtype=torch.float64), (1.0, t1), **options)
    assert solution.t_reached in (t1, 1.0)
    assert solution.stats.nfe < 30


@pytest.mark.parametrize("shape", [(0, 3), (), (1,), (2, 3, 4, 5)])
@pytest.mark.parametrize("norm", ["rms", "worst_sample"])
def test_any_shape_of_state_is_accepted(shape, norm):
    solution = rkbench.solve(lambda t, y: -y, torch.ones(shape), (0.0, 1.0), norm=norm)
    assert solution.y.shape == (2, *shape)
    assert solution.status is rkbench.Status.OK


def test_a_non_contiguous_state_gives_the_same_answer():
    y0 = torch.linspace(0, 1, 12).reshape(3, 4)
    straight = rkbench.solve(growth, y0.T.contiguous(), (0.0, 1.0))
    strided = rkbench.solve(growth, y0.T, (0.0, 1.0))
    assert torch.allclose(straight.y, strided.y, rtol=1e-5)


def test_channels_last_stays_channels_last():
    y0 = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    block = rkbench.ODEBlock(lambda t, y: -y, method="rk4", steps=2)
    assert block(y0).is_contiguous(memory_format=torch.channels_last)


def test_the_worst_sample_norm_is_stricter_than_the_batch_norm():
    """One stiff sample among many easy ones hides in the mean, and steers the maximum."""
    rate = torch.cat([torch.full((63, 1), 0.1), torch.full((1, 1), 40.0)]).double()
    nfe = {}
    for norm in ("rms", "worst_sample"):
        solution = rkbench.solve(lambda t, y: -rate * y, torch.ones_like(rate), (0.0, 1.0), norm=norm)
        nfe[norm] = solution.stats.nfe
    assert nfe["worst_sample"] > nfe["rms"]


def test_a_later_solve_is_not_disturbed_by_an_earlier_one():
    first = rkbench.solve(growth, torch.ones(2), (0.0, 2.0))
    rkbench.solve(growth, torch.ones(2), (0.0, 9.0), rtol=1e-6)
    again = rkbench.solve(growth, torch.ones(2), (0.0, 2.0))
    assert torch.equal(first.y, again.y)
    assert first.steps == again.steps
