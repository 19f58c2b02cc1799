"""Each sample of a batch has its own steps: what it does never depends on its mates."""

import math

import pytest
import torch

import rkbench
from rkbench import Status, registry

ADAPTIVE = [name for name, method in registry.default().methods.items() if method.adaptive]
CONTROLLERS = [name for name, controller in registry.default().controllers.items() if controller.adaptive]


def swirl(t, y):
    """y' = tanh(W y + sin t): smooth, and every sample as fast as it is large."""
    n = y.shape[-1]
    weight = 3 * torch.sin(torch.arange(n * n, dtype=torch.float64)).reshape(n, n).to(y.dtype)
    return torch.tanh(y @ weight + torch.sin(t))


def bursts(t, y):
    """Slow but for a burst at the time that the second component holds, which rejects steps."""
    x, centre = y.unbind(1)
    t = t.reshape(-1) if t.dim() else t
    return torch.stack((50 * torch.exp(-(((t - centre) / 0.04) ** 2)) - x, torch.zeros_like(x)), 1)


def bursting(centres):
    return torch.tensor([[1.0, centre] for centre in centres], dtype=torch.float64)


def batch(samples=128):
    torch.manual_seed(0)
    size = torch.linspace(0.1, 4.0, samples, dtype=torch.float64)[:, None]
    return size * torch.randn(samples, 4, dtype=torch.float64)


def alone(f, y0, span, **options):
    """Return the states of batches of one, each controlled as a whole."""
    solutions = [rkbench.solve(f, row[None], span, **options) for row in y0]
    return torch.cat([solution.y for solution in solutions], 1), solutions


@pytest.mark.parametrize("span", [(0.0, 2.0), (2.0, 0.0)])
def test_a_batch_of_128_is_128_batches_of_one(span):
    y0 = batch()
    together = rkbench.solve(swirl, y0, span, control="sample", rtol=1e-5, atol=1e-7)
    apart, solutions = alone(swirl, y0, span, control="sample", rtol=1e-5, atol=1e-7)
    assert together.status is Status.OK
    assert torch.allclose(together.y, apart, rtol=1e-10, atol=1e-10)
    assert together.samples.accepted == tuple(solution.stats.accepted for solution in solutions)
    assert len(set(together.samples.accepted)) > 3


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.parametrize("t_eval", [None, [0.0, 0.3, 0.3, 1.1, 1.5]])
def test_a_batch_of_one_is_controlled_as_a_batch(name, t_eval):
    y0 = batch(4)
    options = {"method": name, "rtol": 1e-5, "atol": 1e-7, "t_eval": t_eval}
    together = rkbench.solve(swirl, y0, (0.0, 1.5), control="sample", **options)
    apart, solutions = alone(swirl, y0, (0.0, 1.5), **options)
    assert torch.allclose(together.y, apart, rtol=1e-8, atol=1e-8)
    assert together.samples.accepted == tuple(solution.stats.accepted for solution in solutions)
    assert together.samples.rejected == tuple(solution.stats.rejected for solution in solutions)


@pytest.mark.parametrize("name", CONTROLLERS)
@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
def test_every_controller_steers_a_sample_as_it_steers_a_batch(name, span):
    y0 = bursting([0.3, 0.5, 0.9, 5.0])
    options = {"controller": name, "rtol": 1e-4, "atol": 1e-6}
    together = rkbench.solve(bursts, y0, span, control="sample", **options)
    apart, solutions = alone(bursts, y0, span, **options)
    assert sum(together.samples.rejected) > 0
    assert together.samples.rejected == tuple(solution.stats.rejected for solution in solutions)
    assert torch.allclose(together.y, apart, rtol=1e-9, atol=1e-9)


def test_a_mate_of_another_kind_changes_nothing():
    y0 = batch(8)
    options = {"control": "sample", "rtol": 1e-5, "atol": 1e-7}
    calm = rkbench.solve(swirl, y0, (0.0, 2.0), **options)
    with_wild = rkbench.solve(swirl, torch.cat((y0, 1e4 * y0[:1])), (0.0, 2.0), **options)
    assert torch.allclose(with_wild.y[:, :8], calm.y, rtol=1e-10, atol=1e-10)
    assert with_wild.samples.accepted[:8] == calm.samples.accepted


def test_output_times_do_not_need_to_be_served_in_step():
    y0 = batch(32)
    times = torch.linspace(0.0, 2.0, 41).tolist()
    dense = rkbench.solve(swirl, y0, (0.0, 2.0), control="sample", t_eval=times, rtol=1e-6, atol=1e-8)
    exact = rkbench.solve(
        swirl, y0, (0.0, 2.0), method="rk4", steps=400, t_eval=times
    )  # ends steps at the times
    assert dense.t == tuple(times)
    assert torch.allclose(dense.y, exact.y, atol=1e-4)


@pytest.mark.parametrize("t_eval", [[], [0.0], [0.0, 0.0], [0.5], [0.0, 2.0, 2.0], [2.0]])
def test_any_output_times_are_served(t_eval):
    y0 = batch(5)
    solution = rkbench.solve(swirl, y0, (0.0, 2.0), control="sample", t_eval=t_eval)
    assert solution.y.shape == (len(t_eval), 5, 4)
    assert solution.y.isfinite().all()
    assert solution.status is Status.OK


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(6,), (6, 4), (6, 2, 4), (6, 2, 3, 4)])
def test_any_shape_and_dtype_is_kept(dtype, shape):
    y0 = torch.linspace(-1.0, 1.0, math.prod(shape)).reshape(shape).to(dtype)
    seen = []

    def f(t, y):
        seen.append((t.dtype, t.shape, y.dtype, y.shape[1:]))
        return torch.sin(t) - y

    solution = rkbench.solve(f, y0, (0.0, 1.0), control="sample", rtol=1e-2, atol=1e-2)
    assert solution.status is Status.OK
    assert solution.y.dtype is dtype
    assert solution.y.shape == (2, *shape)
    decay = math.exp(-1)
    exact = y0.double() * decay + (math.sin(1) - math.cos(1) + decay) / 2
    assert (solution.y[-1].double() - exact).abs().max() < 5e-2
    for t_dtype, t_shape, y_dtype, y_shape in seen:
        assert t_dtype is y_dtype is dtype
        assert t_shape[1:] == (1,) * (len(shape) - 1)
        assert y_shape == shape[1:]


def test_a_state_need_not_be_contiguous():
    y0 = batch(6)
    strided = torch.stack((y0, y0), 2)[:, :, 0]
    assert not strided.is_contiguous()
    straight, other = (rkbench.solve(swirl, y, (0.0, 1.0), control="sample").y for y in (y0, strided))
    assert torch.equal(straight, other)


def test_the_memory_format_passes_through():
    torch.manual_seed(0)
    images = torch.randn(5, 3, 4, 4) * torch.tensor([0.1, 1.0, 3.0, 10.0, 40.0])[:, None, None, None]
    seen = []

    def f(t, y):
        seen.append((len(y), y.is_contiguous(memory_format=torch.channels_last)))
        return torch.sin(7 * t * y)

    y = rkbench.solve(f, images.to(memory_format=torch.channels_last), (0.0, 1.0), control="sample").y
    assert len({samples for samples, _ in seen}) > 2
    assert all(kept for _, kept in seen)
    assert y[-1].is_contiguous(memory_format=torch.channels_last)


def test_a_batch_of_nobody_ends_at_once():
    def f(t, y):
        raise AssertionError("nobody asked for f")

    solution = rkbench.solve(f, torch.empty(0, 4), (0.0, 1.0), control="sample", t_eval=[0.5, 1.0])
    assert solution.status is Status.OK
    assert solution.y.shape == (2, 0, 4)
    assert solution.stats.nfe == solution.stats.accepted == 0
    assert solution.samples.status == ()


def test_samples_without_components_reach_the_end():
    solution = rkbench.solve(lambda t, y: -y, torch.empty(3, 0), (0.0, 1.0), control="sample")
    assert solution.status is Status.OK
    assert solution.y.shape == (2, 3, 0)


def test_an_empty_interval_leaves_every_sample_where_it_is():
    y0 = batch(3)
    solution = rkbench.solve(swirl, y0, (1.0, 1.0), control="sample")
    assert torch.equal(solution.y, torch.stack((y0, y0)))
    assert solution.stats.nfe == 0
    assert solution.samples.status == (Status.OK,) * 3
    assert solution.samples.t_reached == (1.0,) * 3


def test_an_interval_of_one_ulp_fails_by_name():
    solution = rkbench.solve(swirl, batch(3), (1.0, math.nextafter(1.0, 2.0)), control="sample")
    assert solution.samples.status == (Status.STEP_UNDERFLOW,) * 3


@pytest.mark.parametrize("t1", [0.0, 1.0])
def test_a_state_without_samples_is_refused(t1):
    with pytest.raises(rkbench.SolverError, match="first axis"):
        rkbench.solve(lambda t, y: -y, torch.tensor(1.0), (0.0, t1), control="sample")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": 5}, "equal steps are the same for all"),
        ({"norm": "worst_sample"}, "each sample alone already"),
        ({"gradient": "adjoint"}, "takes the whole batch back"),
        ({"gradient": "binomial"}, "takes the whole batch back"),
        ({"compile": True}, "cannot be compiled"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(options, says):
    with pytest.raises(rkbench.SolverError, match=says):
        rkbench.solve(swirl, batch(2), (0.0, 1.0), control="sample", **options)


def test_a_replay_is_refused():
    with pytest.raises(rkbench.SolverError, match="equal steps are the same for all"):
        rkbench.solve(swirl, batch(2), (0.0, 1.0), control="sample", controller=rkbench.replay([1.0]))


def test_a_block_may_have_samples_with_steps_of_their_own():
    block = rkbench.ODEBlock(swirl, control="sample", rtol=1e-5, atol=1e-7)
    y0 = batch(8)
    expected = rkbench.solve(swirl, y0, (0.0, 1.0), control="sample", rtol=1e-5, atol=1e-7)
    assert torch.equal(block(y0), expected.y[-1])
    assert block.last_stats.nfe == expected.stats.nfe
