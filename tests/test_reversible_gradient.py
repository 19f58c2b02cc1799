"""Reversible engines walk the papers' recurrences, and back: the gradient is that of autograd through them."""

import itertools

import pytest
import torch
from torch import nn

import rkbench
from rkbench import registry

METHODS = registry.default().methods
CASES = [("reversible", method) for method in ("euler", "heun2", "bosh3", "rk4", "dopri5")]
CASES += [("reversible_heun", "heun2")]
TIMES = [None, (1.0,), (0.0, 0.25, 0.5, 0.5, 1.0), (0.1, 0.6, 0.95), ()]
LAMBDA = 0.99


class Net:
    """A small non-autonomous net, with its calls and vector-Jacobian products counted."""

    def __init__(self, dtype=torch.float64):
        random = torch.Generator().manual_seed(0)
        self.weight = torch.randn(3, 3, generator=random, dtype=dtype).requires_grad_()
        self.y0 = torch.randn(2, 3, generator=random, dtype=dtype).requires_grad_()
        self.calls = self.vjps = 0

    def __call__(self, t, y):
        self.calls += 1
        k = torch.tanh(y @ self.weight + torch.sin(3 * t))
        if k.requires_grad:
            k.register_hook(self.count_vjp)
        return k

    def count_vjp(self, gradient):
        self.vjps += 1


def increment(method, f, t, h, x):
    """Ψ: what a step of the tableau adds."""
    slopes = []
    for c, row in zip(method.c, method.a, strict=True):
        moved = sum((float(a) * k for a, k in zip(row, slopes, strict=True)), torch.zeros_like(x))
        slopes.append(f(torch.as_tensor(t + float(c) * h, dtype=x.dtype), x + h * moved))
    return h * sum(float(b) * k for b, k in zip(method.b, slopes, strict=True))


def mccallum_foster(method, f, y, times):
    """Equations of McCallum & Foster 2024, as printed; yields y at each time."""
    z = y
    yield y
    for t, t_next in itertools.pairwise(times):
        h = t_next - t
        y = LAMBDA * y + (1 - LAMBDA) * z + increment(method, f, t, h, z)
        z = z - increment(method, f, t_next, -h, y)
        yield y


def reversible_heun(method, f, y, times):
    """Algorithm of Kidger et al. 2021, as printed, without noise."""
    hat, slope = y, f(torch.as_tensor(times[0], dtype=y.dtype), y)
    yield y
    for t, t_next in itertools.pairwise(times):
        h = t_next - t
        hat = 2 * y - hat + h * slope
        slope, before = f(torch.as_tensor(t_next, dtype=y.dtype), hat), slope
        y = y + h / 2 * (before + slope)
        yield y


PRINTED = {"reversible": mccallum_foster, "reversible_heun": reversible_heun}


def reference(engine, method, f, span, times, steps):
    """y at the times wanted, by autograd through the printed recurrence; the grid holds the times."""
    t0, t1 = span
    equal = [t0 + i * (t1 - t0) / steps for i in range(steps + 1)]
    grid = sorted({*equal, *(times or ())}, reverse=t1 < t0)
    states = dict(zip(grid, PRINTED[engine](METHODS[method], f, f.y0, grid), strict=True))
    wanted = span if times is None else times
    return torch.stack([states[t] for t in wanted]) if wanted else f.y0.new_empty((0, 2, 3))


def loss(y):
    """A number that each output moves differently."""
    return (y.sin() * torch.arange(1, len(y) + 1, dtype=y.dtype).reshape(-1, 1, 1)).sum()


def close(found, expected, within=1e-12):
    return all((a - b).norm() <= within * b.norm() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
@pytest.mark.parametrize("times", TIMES[:-1])
@pytest.mark.parametrize(("engine", "method"), CASES)
def test_states_and_gradients_are_those_of_autograd_through_the_printed_scheme(engine, method, times, span):
    times = times and tuple(abs(span[0] - t) for t in times)
    f = Net()
    expected = reference(engine, method, f, span, times, steps=8)
    found = rkbench.solve(f, f.y0, span, method=method, steps=8, t_eval=times, engine=engine).y
    assert close([found], [expected])
    inputs = (f.y0, f.weight)
    assert close(torch.autograd.grad(loss(found), inputs), torch.autograd.grad(loss(expected), inputs))


@pytest.mark.parametrize(("engine", "method"), CASES)
def test_a_single_step_is_that_of_the_tableau(engine, method):
    f = Net()
    ours, native = (
        rkbench.solve(f, f.y0, (0.0, 0.5), method=method, steps=1, engine=which).y[-1]
        for which in (engine, "rkbench")
    )
    assert close([ours], [native], within=1e-15)


@pytest.mark.parametrize(("engine", "method"), CASES)
def test_gradients_pass_gradcheck(engine, method):
    random = torch.Generator().manual_seed(1)
    weight, y0 = (torch.randn(2, 2, generator=random, dtype=torch.float64).requires_grad_() for _ in range(2))

    def solve(y0, weight):
        f = lambda t, y: torch.tanh(y @ weight + t)  # noqa: E731
        return rkbench.solve(f, y0, (0.0, 1.0), method=method, steps=4, engine=engine, t_eval=(0.4, 1.0)).y

    assert torch.autograd.gradcheck(solve, (y0, weight))


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize(("engine", "method"), CASES)
def test_what_it_costs_is_what_is_counted(engine, method, times):
    f = Net()
    solution = rkbench.solve(f, f.y0, (0.0, 1.0), method=method, steps=8, t_eval=times, engine=engine)
    stats, forward = solution.stats, f.calls
    assert (stats.nfe, stats.nfe_backward, stats.vjps) == (forward, 0, 0)
    (solution.y.sum() + f.y0.sum() + f.weight.sum()).backward()
    assert (stats.nfe, stats.nfe_backward, stats.vjps) == (forward, f.calls - forward, f.vjps)


@pytest.mark.parametrize(
    ("engine", "method", "nfe"),
    [("reversible", "rk4", 4 * 19), ("reversible", "dopri5", 6 * 19), ("reversible_heun", "heun2", 11)],
)
def test_the_bill_of_ten_steps(engine, method, nfe):
    f = Net()
    solution = rkbench.solve(f, f.y0, (0.0, 1.0), method=method, steps=10, engine=engine)
    solution.y[-1].sum().backward()
    stats = solution.stats
    assert (stats.nfe_accepted, stats.nfe_backward, stats.vjps, stats.accepted) == (nfe, nfe, nfe, 10)
    assert stats.nfe == stats.nfe_accepted


def test_an_output_that_parts_two_half_kicks_costs_one_evaluation():
    f = Net()
    solution = rkbench.solve(
        f, f.y0, (0.0, 1.0), method="heun2", steps=4, t_eval=(0.25, 0.5), engine="reversible_heun"
    )
    assert (solution.stats.nfe_accepted, solution.stats.nfe_output) == (5, 2)


def test_a_backward_pass_can_be_run_again_and_is_counted_again():
    f = Net()
    solution = rkbench.solve(f, f.y0, (0.0, 1.0), method="rk4", steps=3, engine="reversible")
    first = torch.autograd.grad(solution.y[-1].sum(), f.weight, retain_graph=True)
    once = solution.stats.nfe_backward
    second = torch.autograd.grad(solution.y[-1].sum(), f.weight)
    assert torch.equal(*first, *second)
    assert solution.stats.nfe_backward == 2 * once


def test_in_single_precision_the_gradient_is_right_to_single_precision():
    single, double = Net(torch.float32), Net()
    double.y0, double.weight = (x.detach().double().requires_grad_() for x in (single.y0, single.weight))
    grads = []
    for f in (single, double):
        y = rkbench.solve(f, f.y0, (0.0, 1.0), method="rk4", steps=50, engine="reversible").y
        grads.append(torch.autograd.grad(y[-1].sum(), (f.y0, f.weight)))
    assert close(*([x.double() for x in which] for which in grads), within=1e-5)


# However f holds its parameters.


class Layer(nn.Module):
    """A module with a part that recomputation could upset, and a parameter that f never uses."""

    def __init__(self, part):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=torch.float64)
        self.part = part
        self.unused = nn.Parameter(torch.ones(2, dtype=torch.float64))

    def forward(self, t, y):
        return torch.tanh(self.part(self.linear(y)))


def trained(part, **options):
    f = Layer(part)
    x = torch.linspace(-1, 2, 15, dtype=torch.float64).reshape(5, 3).requires_grad_()
    rkbench.ODEBlock(f, "rk4", steps=3, **options)(x).square().sum().backward()
    return f, x


@pytest.mark.parametrize("engine", ["reversible", "rkbench"])
def test_an_unused_parameter_gets_no_gradient_as_after_backprop(engine):
    f, x = trained(nn.Identity(), engine=engine)
    assert f.unused.grad is None
    assert all(p.grad is not None for p in (x, f.linear.weight, f.linear.bias))


def test_running_statistics_are_not_moved_by_the_way_back():
    f = Layer(nn.BatchNorm1d(3, dtype=torch.float64))
    x = torch.linspace(-1, 2, 15, dtype=torch.float64).reshape(5, 3).requires_grad_()
    y = rkbench.ODEBlock(f, "rk4", steps=3, engine="reversible")(x)
    before = [buffer.clone() for buffer in f.buffers()]
    y.sum().backward()
    assert all(map(torch.equal, f.buffers(), before))


def test_f_that_draws_random_numbers_is_refused():
    with pytest.raises(rkbench.SolverError, match=r"draws random numbers .* call f\.eval\(\)"):
        trained(nn.Dropout(), engine="reversible")
    trained(nn.Dropout().eval(), engine="reversible")


def test_gradients_reach_weights_that_are_computed_from_others():
    def gradient_of(engine):
        h = torch.linspace(-1, 1, 3, dtype=torch.float64, requires_grad=True)
        weight = torch.outer(h, h).tanh()
        y0 = torch.ones(2, 3, dtype=torch.float64)
        f = lambda t, y: torch.tanh(y @ weight)  # noqa: E731
        y = rkbench.solve(f, y0, (0.0, 1.0), method="dopri5", steps=9, engine=engine).y
        return torch.autograd.grad(y[-1].sum(), h)[0]

    assert close([gradient_of("reversible")], [gradient_of("rkbench")], within=1e-6)


@pytest.mark.parametrize(
    "f", [lambda t, y: torch.ones_like(y), lambda t, y: y.detach(), lambda t, y: y], ids=["1", "cut", "y"]
)
@pytest.mark.parametrize(("engine", "method"), [("reversible", "euler"), ("reversible_heun", "heun2")])
def test_f_without_parameters_or_without_y_has_a_gradient_too(engine, method, f):
    y0 = torch.ones(2, dtype=torch.float64, requires_grad=True)
    ours, native = (
        torch.autograd.grad(
            rkbench.solve(f, y0, (0.0, 1.0), method=method, steps=200, engine=which).y[-1].sum(), y0
        )[0]
        for which in (engine, "rkbench")
    )
    torch.testing.assert_close(ours, native, rtol=2e-2, atol=0)


def test_the_parameters_alone_may_ask_for_a_gradient():
    f = Net()
    y = rkbench.solve(f, f.y0.detach(), (0.0, 1.0), method="rk4", steps=3, engine="reversible").y
    y[-1].sum().backward()
    assert f.weight.grad is not None


def test_without_a_gradient_to_come_there_is_no_graph():
    f = Net()
    with torch.no_grad():
        solution = rkbench.solve(f, f.y0, (0.0, 1.0), method="rk4", steps=3, engine="reversible")
    assert not solution.y.requires_grad
    assert solution.stats.nfe == f.calls == 20
    y0 = torch.ones(2)
    assert not rkbench.solve(
        lambda t, y: -y, y0, (0.0, 1.0), method="rk4", steps=3, engine="reversible"
    ).y.requires_grad


def test_the_values_with_and_without_a_gradient_are_the_same():
    f = Net()
    options = {"method": "dopri5", "steps": 5, "engine": "reversible"}
    with torch.no_grad():
        plain = rkbench.solve(f, f.y0, (0.0, 1.0), **options).y
    assert torch.equal(plain, rkbench.solve(f, f.y0, (0.0, 1.0), **options).y)


def test_a_second_derivative_is_refused():
    y0 = torch.ones(2, dtype=torch.float64, requires_grad=True)
    y = rkbench.solve(lambda t, y: y.sin(), y0, (0.0, 1.0), method="rk4", steps=2, engine="reversible").y
    with pytest.raises(rkbench.SolverError, match="differentiated twice; use engine='rkbench'"):
        torch.autograd.grad(y[-1].sum(), y0, create_graph=True)


def test_a_parameter_changed_in_between_is_noticed():
    f = Net()
    y = rkbench.solve(f, f.y0, (0.0, 1.0), method="rk4", steps=2, engine="reversible").y
    with torch.no_grad():
        f.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_under_autocast_the_way_back_computes_as_the_way_there():
    torch.manual_seed(0)
    layer = nn.Linear(16, 16)
    y0 = torch.randn(4, 16).requires_grad_()

    def f(t, y):
        return torch.tanh(layer(y)).float()

    with torch.autocast("cpu", torch.bfloat16):
        solution = rkbench.solve(f, y0, (0.0, 1.0), method="rk4", steps=4, engine="reversible")
    found = torch.autograd.grad(solution.y[-1].sum(), layer.weight)
    with torch.autocast("cpu", torch.bfloat16):
        *_, y = mccallum_foster(METHODS["rk4"], f, y0, [0.0, 0.25, 0.5, 0.75, 1.0])
    assert close(found, torch.autograd.grad(y.sum(), layer.weight), within=1e-2)
