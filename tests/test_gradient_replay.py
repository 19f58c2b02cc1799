"""`segments` and `binomial` give the gradient of backprop from a few states, and know beforehand what that costs."""

import math

import pytest
import torch
from torch import nn

import rkbench
from rkbench import registry

DOUBLE = torch.float64
ROADS = ["segments", "binomial"]
METHODS = registry.default().methods
ADAPTIVE = [name for name, method in METHODS.items() if method.adaptive]
CASES = [(name, {"steps": 7}) for name in METHODS] + [
    (name, {"rtol": 1e-4, "atol": 1e-6}) for name in ADAPTIVE
]


class Counter:
    """A small non-autonomous net, with its calls and vector-Jacobian products counted."""

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        self.weight = torch.randn(3, 3, generator=random, dtype=DOUBLE, requires_grad=True)
        self.y0 = torch.randn(2, 3, generator=random, dtype=DOUBLE, requires_grad=True)
        self.calls = self.vjps = 0

    def __call__(self, t, y):
        k = torch.tanh(y @ self.weight + torch.sin(3 * t))
        if k.requires_grad:
            k.register_hook(self.count_vjp)
        self.calls += 1
        return k

    def count_vjp(self, gradient):
        self.vjps += 1


def gradients(road, span=(0.0, 1.0), **options):
    """Return dL/dy0 and dL/dW, the solution, and the counts: forward, backward, products."""
    f = Counter()
    solution = rkbench.solve(f, f.y0, span, gradient=road, **options)
    forward = f.calls
    found = torch.autograd.grad(solution.y.square().nansum(), (f.y0, f.weight))
    return found, solution, (forward, f.calls - forward, f.vjps)


def assert_same(found, expected, rel=1e-12):
    for g, e in zip(found, expected, strict=True):
        assert (g - e).abs().max() <= rel * e.abs().max()


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(("method", "options"), CASES)
def test_it_is_the_gradient_of_backprop_at_the_cost_told(road, method, options):
    expected, plain, (plain_forward, _, plain_vjps) = gradients("backprop", method=method, **options)
    found, solution, (forward, backward, vjps) = gradients(road, method=method, **options)
    assert torch.equal(solution.y, plain.y)
    assert solution.steps == plain.steps
    assert_same(found, expected)
    assert solution.stats.nfe == plain.stats.nfe == forward == plain_forward
    assert solution.stats.nfe_backward == backward
    assert solution.stats.vjps == vjps == plain_vjps


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize("times", [(0.3, 1.0), (0.0, 0.1, 0.15, 0.15, 0.9), (1.0,), (0.4,)])
@pytest.mark.parametrize(
    "options",
    [
        {"method": "dopri5", "rtol": 1e-4, "atol": 1e-6},
        {"method": "bs5", "rtol": 1e-4, "atol": 1e-6},
        {"method": "dopri5", "steps": 9},
        {"method": "rk4", "steps": 9},
        {"method": "heun2", "controller": rkbench.replay([0.1, 0.4, 0.5])},
    ],
)
def test_output_times_carry_the_same_gradient_at_the_cost_told(road, span, times, options):
    if span[0]:
        times = [1 - t for t in times]
        if "controller" in options:
            options = options | {"controller": rkbench.replay([-0.1, -0.4, -0.5])}
    options = options | {"span": span, "t_eval": times}
    expected, plain, _ = gradients("backprop", **options)
    found, solution, counted = gradients(road, **options)
    assert torch.equal(solution.y, plain.y)
    assert_same(found, expected)
    assert (solution.stats.nfe, solution.stats.nfe_backward, solution.stats.vjps) == counted


@pytest.mark.parametrize("road", ROADS)
def test_steps_after_the_last_output_are_not_taken_again(road):
    _, half, _ = gradients(road, method="rk4", steps=20, t_eval=[0.5])
    _, whole, _ = gradients(road, method="rk4", steps=20, t_eval=[1.0])
    assert 2 * half.stats.vjps == whole.stats.vjps
    f = Counter()
    y = rkbench.solve(f, f.y0, (0.0, 1.0), t_eval=[0.0], method="rk4", steps=20, gradient=road).y
    calls = f.calls
    assert torch.autograd.grad(y.sum(), f.y0)[0].tolist() == [[1.0] * 3] * 2
    assert f.calls == calls


@pytest.mark.parametrize("road", ROADS)
def test_no_output_needs_no_way_back(road):
    f = Counter()
    solution = rkbench.solve(f, f.y0, (0.0, 1.0), t_eval=[], gradient=road)
    assert solution.y.shape == (0, 2, 3)
    assert solution.stats.nfe_backward == 0


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("checkpoints", [1, 2, 5, 1000])
@pytest.mark.parametrize("options", [{"method": "rk4", "steps": 23}, {"rtol": 1e-8, "atol": 1e-8}])
def test_any_number_of_checkpoints_gives_the_same_gradient(road, checkpoints, options):
    expected, _, _ = gradients("backprop", **options)
    found, solution, counted = gradients(road, checkpoints=checkpoints, **options)
    assert_same(found, expected)
    assert solution.stats.nfe_backward == counted[1]


def test_fewer_checkpoints_cost_more_evaluations():
    costs = [
        gradients("binomial", method="rk4", steps=60, checkpoints=c)[1].stats.nfe_backward
        for c in (2, 4, 8, 60)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == 4 * 60  # every state kept


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("method", ["dopri5", "bosh3", "cash_karp"])
def test_rejected_steps_are_not_taken_again(road, method):
    def run(road):
        scale = torch.tensor(50.0, dtype=DOUBLE, requires_grad=True)
        y0, times = torch.ones(2, dtype=DOUBLE, requires_grad=True), []

        def burst(t, y):
            times.append(t.item())
            return -y + scale * torch.exp(-(((t - 0.5) / 0.04) ** 2))

        options = {"method": method, "rtol": 1e-5, "atol": 1e-7, "gradient": road}
        solution = rkbench.solve(burst, y0, (0.0, 1.0), **options)
        forth = set(times)
        times.clear()
        return torch.autograd.grad(solution.y[-1].sum(), (y0, scale)), solution, forth, times

    expected, plain, _, _ = run("backprop")
    found, solution, forth, back = run(road)
    assert solution.stats.rejected > 0
    assert torch.equal(solution.y, plain.y)
    assert_same(found, expected)
    assert set(back) <= forth  # the very steps, to the last bit of their times
    assert len(back) == solution.stats.nfe_backward


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_other_precisions_pass_through(road, dtype):
    def run(road):
        weight = torch.linspace(-1, 1, 9).reshape(3, 3).to(dtype).requires_grad_()
        y0 = torch.linspace(-1, 1, 6).reshape(2, 3).to(dtype).t().contiguous().t().requires_grad_()
        y = rkbench.solve(lambda t, y: torch.tanh(y @ weight + t), y0, (0.0, 1.0), gradient=road).y
        return y, torch.autograd.grad(y.float().sum(), (y0, weight))

    (plain, expected), (y, found) = run("backprop"), run(road)
    assert torch.equal(plain, y)
    assert all(g.dtype is dtype for g in found)
    for g, e in zip(found, expected, strict=True):
        assert torch.allclose(g.float(), e.float(), rtol=0, atol=30 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("road", ROADS)
def test_computing_again_is_cast_as_the_first_time(road):
    layer, seen = nn.Linear(3, 3), []

    def f(t, y):
        k = layer(y)
        seen.append(k.dtype)
        return k.float()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = rkbench.solve(f, torch.ones(2, 3), (0.0, 1.0), method="rk4", steps=6, gradient=road).y
    seen.clear()
    y.sum().backward()
    assert set(seen) == {torch.bfloat16}


@pytest.mark.parametrize("road", ROADS)
def test_a_second_backward_pass_gives_the_same_again(road):
    f = Counter()
    y = rkbench.solve(f, f.y0, (0.0, 1.0), method="rk4", steps=30, gradient=road).y
    first = torch.autograd.grad(y.sum(), (f.y0, f.weight), retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(y.sum(), (f.y0, f.weight))))


@pytest.mark.parametrize("road", ROADS)
def test_a_second_derivative_is_refused(road):
    y0 = torch.ones(1, requires_grad=True)
    y = rkbench.solve(lambda t, y: torch.sin(y), y0, (0.0, 1.0), gradient=road).y
    with pytest.raises(
        rkbench.SolverError, match=f"{road} cannot be differentiated again; use gradient='chec"
    ):
        torch.autograd.grad(y[-1].sum(), y0, create_graph=True)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("from_time", [-1.0, 0.7])
def test_a_field_that_draws_random_numbers_is_refused_whenever_it_does(road, from_time):
    def f(t, y):
        return torch.dropout(y, 0.5, bool(t > from_time))

    with pytest.raises(rkbench.SolverError, match="draws random numbers .* use gradient='checkpoint'"):
        rkbench.solve(f, torch.ones(4, requires_grad=True), (0.0, 1.0), gradient=road)


class Layer(nn.Module):
    """A module as f that keeps running statistics."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=DOUBLE)
        self.norm = nn.BatchNorm1d(3, dtype=DOUBLE)
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, t, y):
        return torch.tanh(self.norm(self.linear(y)))


@pytest.mark.parametrize("options", [{"method": "rk4", "steps": 5}, {"rtol": 1e-3, "atol": 1e-3}])
@pytest.mark.parametrize("road", ROADS)
def test_running_statistics_move_only_on_the_way_forth(road, options):
    def trained(road):
        f, x = Layer(), torch.linspace(-1, 2, 15, dtype=DOUBLE).reshape(5, 3)
        rkbench.ODEBlock(f, gradient=road, **options)(x).square().sum().backward()
        assert f.unused.grad is None
        return [*f.buffers()], [f.linear.weight.grad, f.norm.weight.grad]

    (kept, expected), (buffers, found) = trained("backprop"), trained(road)
    assert all(map(torch.equal, kept, buffers))
    assert_same(found, expected)


@pytest.mark.parametrize("road", ROADS)
def test_gradients_reach_weights_that_are_computed_from_others(road):
    def gradient_of(road):
        h = torch.linspace(-1, 1, 3, dtype=DOUBLE, requires_grad=True)
        weight = torch.outer(h, h).tanh()
        y = rkbench.solve(
            lambda t, y: torch.tanh(y @ weight), torch.ones(2, 3, dtype=DOUBLE), (0, 1), gradient=road
        ).y
        return torch.autograd.grad(y[-1].sum(), h)

    assert_same(gradient_of(road), gradient_of("backprop"))


@pytest.mark.parametrize("road", ROADS)
def test_what_was_reached_before_a_failure_has_its_gradient(road):
    y0 = torch.ones(1, dtype=DOUBLE, requires_grad=True)
    options = {"t_eval": [0.0, 0.5, 1.5], "rtol": 1e-8, "atol": 1e-8, "gradient": road}
    solution = rkbench.solve(lambda t, y: y * y, y0, (0.0, 2.0), **options)
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    (found,) = torch.autograd.grad(solution.y[0].sum() + solution.y[1].sum(), y0)
    assert found.item() == pytest.approx(5.0, rel=1e-6)  # y = y0 / (1 - t y0)


@pytest.mark.parametrize("road", ROADS)
def test_a_solve_that_never_took_a_step_goes_back_at_once(road):
    y0 = torch.ones(2, requires_grad=True)
    solution = rkbench.solve(lambda t, y: y * math.nan, y0, (0.0, 1.0), gradient=road)
    assert solution.status is rkbench.Status.NON_FINITE
    assert torch.autograd.grad(solution.y[0].sum(), y0)[0].tolist() == [1.0, 1.0]
    assert solution.stats.nfe_backward == 0


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("shape", [(0, 3), (1, 3), ()])
def test_odd_shapes_pass(road, shape):
    y0 = torch.ones(shape, requires_grad=True)
    y = rkbench.solve(lambda t, y: torch.sin(y), y0, (0.0, 1.0), method="rk4", steps=5, gradient=road).y
    assert torch.autograd.grad(y.sum(), y0)[0].shape == shape


@pytest.mark.parametrize("road", ROADS)
def test_without_a_gradient_to_come_nothing_is_claimed(road):
    f = Counter()
    with torch.no_grad():
        stats = rkbench.solve(f, f.y0, (0.0, 1.0), gradient=road).stats
    assert (stats.nfe, stats.nfe_backward, stats.vjps) == (f.calls, 0, 0)
    stats = rkbench.solve(lambda t, y: -y, torch.ones(2), (0.0, 1.0), gradient=road).stats
    assert (stats.nfe_backward, stats.vjps) == (0, 0)


@pytest.mark.parametrize("road", ROADS)
def test_a_state_changed_before_backward_is_noticed(road):
    a, y0 = torch.tensor(0.5, requires_grad=True), torch.ones(1)
    y = rkbench.solve(lambda t, y: a * y, y0, (0.0, 1.0), gradient=road).y
    y0.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
