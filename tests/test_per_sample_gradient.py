"""The gradient of a solve with per-sample control is that of each sample's own steps, and of nothing else."""

import math

import pytest
import torch

import rkbench
from rkbench import Status

OPTIONS = {"control": "sample", "rtol": 1e-5, "atol": 1e-7}


class Bursts(torch.nn.Module):
    """y' = tanh(W y) with a burst at a time of the sample's own (the last component), which rejects steps."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(3, 3, dtype=torch.float64))
        self.height = torch.nn.Parameter(torch.tensor(30.0, dtype=torch.float64))

    def forward(self, t, y):
        burst = self.height * torch.exp(-(((t - y[:, 2:]) / 0.04) ** 2))
        return (torch.tanh(y @ self.weight) + burst) * torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)


def batch(samples=16):
    torch.manual_seed(1)
    y0 = torch.randn(samples, 3, dtype=torch.float64)
    y0[:, 2] = torch.linspace(0.2, 1.5, samples)
    return y0


def gradients(f, y0, **options):
    """Return dL/dy0 and dL/dθ of a loss over all outputs, and the solution."""
    y0 = y0.clone().requires_grad_()
    solution = rkbench.solve(f, y0, (0.0, 1.0), **options)
    loss = (solution.y * torch.linspace(1.0, 2.0, len(solution.t), dtype=y0.dtype)[:, None, None]).sin().sum()
    return torch.autograd.grad(loss, (y0, *f.parameters())), solution


@pytest.mark.parametrize("method", ["dopri5", "bosh3", "cash_karp", "bs5", "dop853"])
@pytest.mark.parametrize("t_eval", [None, [0.25, 0.5, 1.0]])
def test_the_gradient_of_a_batch_is_the_sum_of_those_of_its_samples(method, t_eval):
    f, y0 = Bursts(), batch()
    (by_y0, *by_parameters), solution = gradients(f, y0, method=method, t_eval=t_eval, **OPTIONS)
    alone = [gradients(f, row[None], method=method, t_eval=t_eval, **OPTIONS)[0] for row in y0]
    assert sum(solution.samples.rejected) > 0
    assert torch.allclose(by_y0, torch.cat([g[0] for g in alone]), rtol=1e-7, atol=1e-7)
    for i, got in enumerate(by_parameters, 1):
        assert torch.allclose(got, sum(g[i] for g in alone), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("method", ["dopri5", "cash_karp"])
def test_the_gradient_is_that_of_the_replayed_steps(method):
    """Step sizes are constants of it, and rejected steps leave no trace in it."""
    f, y0 = Bursts(), batch()
    (by_y0, *by_parameters), solution = gradients(f, y0, method=method, t_eval=[1.0], **OPTIONS)
    assert sum(solution.samples.rejected) > 0
    replayed = [
        gradients(f, row[None], method=method, t_eval=[1.0], controller=rkbench.replay(steps))[0]
        for row, steps in zip(y0, solution.samples.steps, strict=True)
    ]
    assert torch.allclose(by_y0, torch.cat([g[0] for g in replayed]), rtol=1e-11, atol=1e-12)
    for i, got in enumerate(by_parameters, 1):
        assert torch.allclose(got, sum(g[i] for g in replayed), rtol=1e-11, atol=1e-12)


def test_checkpoint_gives_the_gradient_of_backprop_to_the_last_bit():
    f, y0 = Bursts(), batch()
    stored, _ = gradients(f, y0, t_eval=[0.5, 1.0], **OPTIONS)
    recomputed, _ = gradients(f, y0, t_eval=[0.5, 1.0], gradient="checkpoint", **OPTIONS)
    assert all(torch.equal(a, b) for a, b in zip(stored, recomputed, strict=True))


class Cliff(torch.nn.Module):
    """y' = w y, but NaN, or finite by way of infinity, for a sample that ventures beyond a component of its own."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.weight = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, t, y):
        x, edge = y.unbind(1)
        beyond = (self.weight * x - edge).clamp(min=0) * 1e6
        if self.kind == "nan":
            slope = self.weight * x + beyond.log1p() + torch.where(beyond > 0, math.nan, 0.0) * self.weight
        else:  # exp overflows, its logistic does not
            slope = self.weight * x - 1e4 * (1 - 1 / (1 + beyond.exp()) - 0.5)
        return torch.stack((slope, torch.zeros_like(x)), 1)


@pytest.mark.parametrize("kind", ["nan", "overflow"])
@pytest.mark.parametrize("gradient", ["backprop", "checkpoint"])
@pytest.mark.parametrize("method", ["dopri5", "cash_karp"])
def test_an_infinity_in_a_rejected_step_does_not_reach_the_gradient(kind, gradient, method):
    f = Cliff(kind)
    y0 = torch.tensor([[1.0, 1e9], [1.0, 1.2], [0.5, 1e9]], dtype=torch.float64, requires_grad=True)
    solution = rkbench.solve(
        f, y0, (0.0, 0.5), method=method, max_steps=60, gradient=gradient, t_eval=[0.05, 0.5], **OPTIONS
    )
    assert solution.samples.rejected[1] > 0
    fine = [0, 2]
    assert [solution.samples.status[i] for i in fine] == [Status.OK] * 2
    by_weight, by_y0 = torch.autograd.grad(
        solution.y[-1, fine, 0].sum() + solution.y[0, 1, 0], (f.weight, y0)
    )
    alone = y0.detach()[fine].requires_grad_()
    early = rkbench.solve(
        f, y0.detach()[1:2], (0.0, 0.5), method=method, max_steps=60, t_eval=[0.05], **OPTIONS
    )
    expected = rkbench.solve(f, alone, (0.0, 0.5), method=method, t_eval=[0.5], **OPTIONS)
    (by_both,) = torch.autograd.grad(expected.y[0, :, 0].sum() + early.y[0, 0, 0], f.weight)
    assert by_weight.item() == pytest.approx(by_both.item(), rel=1e-9)
    assert by_y0.isfinite().all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sample_that_cannot_start_does_not_reach_the_gradient(bad):
    f, y0 = Bursts(), batch(4)
    y0[2, 0] = bad
    solution = rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    assert solution.samples.failed == (2,)
    good = [0, 1, 3]
    got = torch.autograd.grad(solution.y[-1, good].sum(), f.parameters())
    expected = torch.autograd.grad(
        rkbench.solve(f, y0[good], (0.0, 1.0), **OPTIONS).y[-1].sum(), f.parameters()
    )
    assert all(torch.allclose(a, b, rtol=1e-9) for a, b in zip(got, expected, strict=True))


def test_an_unused_parameter_has_no_gradient():
    unused = torch.nn.Parameter(torch.ones(2))
    f, y0 = Bursts(), batch(4)
    f.unused = unused
    rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS).y.sum().backward()
    assert unused.grad is None
    assert f.weight.grad.isfinite().all()


def test_without_grad_nothing_is_taken_twice():
    f, y0 = Bursts(), batch()
    with torch.no_grad():
        cheap = rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    dear = rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    assert not cheap.y.requires_grad
    assert torch.allclose(cheap.y, dear.y, rtol=1e-12)
    assert cheap.stats.nfe < dear.stats.nfe
    assert cheap.stats.vjps == cheap.stats.nfe_backward == 0
