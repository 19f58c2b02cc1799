"""Gradients where each sample has times of its own: to states, parameters and the times, against differences."""

import pytest
import torch

import rkbench

T0 = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
T1 = torch.tensor([1.0, 0.75, 0.0], dtype=torch.float64)
SHARES = torch.tensor([[0.0, 0.1, 0.35], [0.2, 0.1, 0.5], [0.31, 0.8, 0.99]], dtype=torch.float64)


def solved(w, y0, t0, t1, shares, **options):
    times = None if shares is None else t0 + shares * (t1 - t0)

    def f(t, y):
        return torch.tanh(y @ w + torch.cos(t))

    return rkbench.solve(f, y0, (t0, t1), t_eval=times, **options).y


def inputs():
    torch.manual_seed(0)
    return torch.randn(2, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)


FIXED = {"method": "rk4", "steps": 6}
CASES = [
    (FIXED, None),
    (FIXED, SHARES),
    (FIXED | {"gradient": "checkpoint"}, SHARES),
    (FIXED | {"gradient": "binomial"}, None),
    ({"method": "dopri5", "steps": 5}, SHARES),
]


@pytest.mark.parametrize(("options", "shares"), CASES)
def test_of_equal_steps_they_are_those_of_the_computed_map(options, shares):
    w, y0 = inputs()
    leaves = tuple(x.clone().requires_grad_() for x in (w, y0, T0, T1))
    assert torch.autograd.gradcheck(lambda *x: solved(*x, shares, **options), leaves, atol=1e-7)


@pytest.mark.parametrize("control", ["batch", "sample"])
@pytest.mark.parametrize("gradient", ["backprop", "checkpoint"])
@pytest.mark.parametrize("shares", [None, SHARES])
def test_of_chosen_steps_they_are_those_of_the_problem(control, gradient, shares):
    w, y0 = inputs()
    options = {"method": "dopri5", "rtol": 1e-9, "atol": 1e-10, "control": control, "gradient": gradient}
    leaves = tuple(x.clone().requires_grad_() for x in (w, y0, T0, T1))
    weights = torch.randn(3 if shares is not None else 2, 3, 2, dtype=torch.float64)
    (solved(*leaves, shares, **options) * weights).sum().backward()
    exact = tuple(x.clone().requires_grad_() for x in (w, y0, T0, T1))
    (solved(*exact, shares, method="rk4", steps=400) * weights).sum().backward()
    for ours, theirs in zip(leaves, exact, strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("gradient", ["adjoint", "interpolated", "segments"])
def test_the_other_roads_follow_spans(gradient):
    w, y0 = inputs()
    leaves = tuple(x.clone().requires_grad_() for x in (w, y0))
    solved(*leaves, T0, T1, None, method="dopri5", rtol=1e-8, atol=1e-9, gradient=gradient)[
        -1
    ].sum().backward()
    exact = tuple(x.clone().requires_grad_() for x in (w, y0))
    solved(*exact, T0, T1, None, method="rk4", steps=400)[-1].sum().backward()
    for ours, theirs in zip(leaves, exact, strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_sample_does_not_depend_on_its_mates():
    w, y0 = inputs()
    options = {"method": "tsit5", "rtol": 1e-5, "control": "sample"}
    together = tuple(x.clone().requires_grad_() for x in (w, y0))
    solved(*together, T0, T1, SHARES, **options).square().sum().backward()
    total = torch.zeros_like(w)
    for i in range(3):
        row, apart = slice(i, i + 1), (w.clone().requires_grad_(), y0[i : i + 1].clone().requires_grad_())
        solved(*apart, T0[row], T1[row], SHARES[:, row], **options).square().sum().backward()
        assert torch.allclose(together[1].grad[row], apart[1].grad, rtol=1e-9, atol=1e-9)
        total += apart[0].grad
    assert torch.allclose(together[0].grad, total, rtol=1e-9, atol=1e-9)
