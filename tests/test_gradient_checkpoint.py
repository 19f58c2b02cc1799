"""`checkpoint` gives the gradient of backprop to the last bit, and computes each accepted step once more."""

import pytest
import torch
from torch import nn

import rkbench
from rkbench import registry

METHODS = registry.default().methods
CASES = [(name, {"steps": 2}) for name in METHODS]
CASES += [(name, {"rtol": 1e-4, "atol": 1e-6}) for name, method in METHODS.items() if method.adaptive]


class Counter:
    """A small non-autonomous net, with its calls and vector-Jacobian products counted."""

    def __init__(self):
        random = torch.Generator().manual_seed(0)
        self.weight = torch.randn(3, 3, generator=random, dtype=torch.float64, requires_grad=True)
        self.y0 = torch.randn(2, 3, generator=random, dtype=torch.float64, requires_grad=True)
        self.calls = self.vjps = 0

    def __call__(self, t, y):
        k = torch.tanh(y @ self.weight + torch.sin(3 * t))
        if k.requires_grad:
            k.register_hook(self.count_vjp)
        self.calls += 1  # after all the work: a call that is broken off does not count
        return k

    def count_vjp(self, gradient):
        self.vjps += 1


def gradients(gradient, **options):
    """Return dL/dy0 and dL/dW, the statistics, and the counts: forward, backward, products."""
    f = Counter()
    solution = rkbench.solve(f, f.y0, (0.0, 1.0), gradient=gradient, **options)
    forward = f.calls
    found = torch.autograd.grad(solution.y.square().sum(), (f.y0, f.weight))
    return found, solution.stats, (forward, f.calls - forward, f.vjps)


@pytest.mark.parametrize(("method", "options"), CASES)
def test_the_gradient_is_that_of_backprop_to_the_last_bit(method, options):
    expected, _, _ = gradients("backprop", method=method, **options)
    found, _, _ = gradients("checkpoint", method=method, **options)
    assert all(map(torch.equal, expected, found))


@pytest.mark.parametrize(("method", "options"), CASES)
def test_what_backward_costs_is_known_beforehand(method, options):
    _, stats, (forward, backward, vjps) = gradients("checkpoint", method=method, **options)
    assert (stats.nfe, stats.nfe_backward, stats.vjps) == (forward, backward, vjps)
    assert backward > 0


@pytest.mark.parametrize(("method", "stages"), [("euler", 1), ("rk4", 4), ("dopri5", 6)])
def test_equal_steps_are_computed_exactly_twice(method, stages):
    _, stats, _ = gradients("checkpoint", method=method, steps=5)
    assert stats.nfe_backward == stats.nfe == 5 * stages


@pytest.mark.parametrize("method", ["dopri5", "bosh3", "cash_karp"])
def test_rejected_steps_are_not_computed_again(method):
    scale = torch.tensor(50.0, dtype=torch.float64, requires_grad=True)
    calls = []

    def burst(t, y):
        calls.append(t)
        return -y + scale * torch.exp(-(((t - 0.5) / 0.04) ** 2))

    def run(gradient):
        y0 = torch.ones(2, dtype=torch.float64, requires_grad=True)
        options = {"method": method, "rtol": 1e-5, "atol": 1e-7, "gradient": gradient}
        solution = rkbench.solve(burst, y0, (0.0, 1.0), **options)
        calls.clear()
        found = torch.autograd.grad(solution.y[-1].sum(), (y0, scale))
        return found, solution.stats

    expected, _ = run("backprop")
    found, stats = run("checkpoint")
    stages = METHODS[method].stages - METHODS[method].fsal
    assert stats.rejected > 0
    assert all(map(torch.equal, expected, found))
    assert len(calls) == stats.nfe_backward
    assert stats.accepted * stages - 1 <= stats.nfe_backward <= stats.accepted * stages


@pytest.mark.parametrize("times", [[0.3, 1.0], [0.1, 0.15, 0.9]])
@pytest.mark.parametrize("method", ["dopri5", "bs5"])
def test_output_times_in_between_carry_the_same_gradient(method, times):
    options = {"method": method, "t_eval": times, "rtol": 1e-4, "atol": 1e-6}
    expected, _, _ = gradients("backprop", **options)
    found, _, _ = gradients("checkpoint", **options)
    assert all(map(torch.equal, expected, found))


class Layer(nn.Module):
    """A module as f, whose last part is what recomputation could upset."""

    def __init__(self, part):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=torch.float64)
        self.part = part

    def forward(self, t, y):
        return torch.tanh(self.part(self.linear(y)))


def trained(gradient, part, options):
    """Return everything a training step leaves behind: gradients, buffers, and the next random number."""
    f = Layer(part())
    x = torch.linspace(-1, 2, 15, dtype=torch.float64).reshape(5, 3).requires_grad_()
    rkbench.ODEBlock(f, gradient=gradient, **options)(x).square().sum().backward()
    return [x.grad, *(p.grad for p in f.parameters()), *(b.clone() for b in f.buffers()), torch.rand(1)]


@pytest.mark.parametrize("options", [{"method": "rk4", "steps": 3}, {"rtol": 0.1, "atol": 1.0}])
@pytest.mark.parametrize("part", [nn.Dropout, lambda: nn.BatchNorm1d(3, dtype=torch.float64)])
def test_dropout_and_running_statistics_see_no_second_computation(part, options):
    expected = trained("backprop", part, options)
    found = trained("checkpoint", part, options)
    assert all(map(torch.equal, expected, found))


def test_gradients_reach_weights_that_are_computed_from_others():
    def gradient_of(road):
        h = torch.linspace(-1, 1, 3, dtype=torch.float64, requires_grad=True)
        weight = torch.outer(h, h).tanh()
        y0 = torch.ones(2, 3, dtype=torch.float64)
        y = rkbench.solve(lambda t, y: torch.tanh(y @ weight), y0, (0.0, 1.0), gradient=road).y
        return torch.autograd.grad(y[-1].sum(), h)[0]

    assert torch.equal(gradient_of("backprop"), gradient_of("checkpoint"))


def test_second_derivatives_exist():
    y0 = torch.full((1,), 0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(
        lambda y: rkbench.solve(
            lambda t, y: torch.sin(y), y, (0.0, 1.0), method="rk4", steps=2, gradient="checkpoint"
        ).y[-1],
        (y0,),
    )


def test_without_a_gradient_to_come_nothing_is_claimed():
    f = Counter()
    with torch.no_grad():
        stats = rkbench.solve(f, f.y0, (0.0, 1.0), gradient="checkpoint").stats
    assert (stats.nfe, stats.nfe_backward, stats.vjps) == (f.calls, 0, 0)
