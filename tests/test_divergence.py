"""The divergence that a field gives in closed form is the trace of its Jacobian, and Hutchinson's estimate has it for a mean."""

import itertools

import pytest
import torch

from rkbench.networks.field import TimeField

T = torch.tensor(0.3, dtype=torch.float64)


def fields(n, width=7):
    torch.manual_seed(n)
    y = torch.randn(5, n, dtype=torch.float64)
    return TimeField(n, width).double(), y


def jacobians(f, t, y):
    """One for each sample, by automatic differentiation, ``[batch, n, n]``."""
    return torch.stack([torch.func.jacrev(lambda x: f(t, x[None])[0][0])(row) for row in y])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_it_is_the_trace_of_the_jacobian(n):
    f, y = fields(n)
    expected = jacobians(f, T, y).diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(f(T, y)[1], expected, rtol=1e-12, atol=1e-14)


def test_its_gradient_is_that_of_the_trace():
    f, y = fields(2)
    y.requires_grad_()
    velocity, divergence = f(T, y)
    parts = [torch.autograd.grad(velocity[:, i].sum(), y, create_graph=True)[0][:, i] for i in range(2)]
    weights = torch.arange(1.0, 6.0, dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((weights * one).sum(), (y, *f.parameters()), retain_graph=True, allow_unused=True)
        for one in (divergence, parts[0] + parts[1])
    )
    for one, other in zip(ours, theirs, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-14)
    assert sum(one is None for one in ours) == 1  # the last bias moves everything alike


def test_an_estimate_is_the_product_with_its_signs():
    f, y = fields(3)
    signs = torch.randint_like(y, 2) * 2 - 1
    expected = torch.einsum("bi,bij,bj->b", signs, jacobians(f, T, y), signs)
    torch.testing.assert_close(f(T, y, signs)[1], expected, rtol=1e-12, atol=1e-14)


def test_the_mean_of_the_estimate_over_all_signs_is_exact():
    f, y = fields(4)
    drawn = [
        torch.tensor(signs, dtype=torch.float64).expand_as(y)
        for signs in itertools.product((-1, 1), repeat=4)
    ]
    estimates = torch.stack([f(T, y, signs)[1] for signs in drawn])
    assert estimates.std(0).min() > 1e-3
    torch.testing.assert_close(estimates.mean(0), f(T, y)[1], rtol=1e-12, atol=1e-14)


def test_each_sample_may_have_a_time_of_its_own():
    f, y = fields(2)
    times = torch.linspace(0, 1, 5, dtype=torch.float64)
    together = f(times[:, None], y)
    alone = [f(t, row[None]) for t, row in zip(times, y, strict=True)]
    for whole, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.cat(parts), rtol=1e-13, atol=1e-15)
