"""The gradient of a solve is the exact gradient of the map that was computed."""

import pytest
import torch

import rkbench
from rkbench import registry

METHODS = sorted(registry.default().methods)


def field(weight):
    return lambda t, y: torch.tanh(y @ weight + torch.sin(t))


@pytest.mark.parametrize("name", METHODS)
def test_equal_steps_pass_gradcheck(name):
    torch.manual_seed(0)
    weight = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    y0 = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda y, w: rkbench.solve(field(w), y, (0.0, 1.0), method=name, steps=2).y[-1],
        (y0, weight),
        fast_mode=True,
    )


def test_an_adaptive_gradient_is_that_of_its_replayed_steps():
    """Step sizes are constants of the gradient: freezing them changes nothing."""
    torch.manual_seed(0)
    weight = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    y0 = torch.randn(2, 3, dtype=torch.float64)
    adaptive = rkbench.solve(field(weight), y0, (0.0, 1.0), rtol=1e-4)
    (gradient,) = torch.autograd.grad(adaptive.y[-1].sum(), weight)
    replayed = rkbench.solve(field(weight), y0, (0.0, 1.0), controller=rkbench.replay(adaptive.steps))
    (expected,) = torch.autograd.grad(replayed.y[-1].sum(), weight)
    assert torch.allclose(gradient, expected, rtol=1e-12, atol=0)


def test_the_adaptive_gradient_approaches_the_exact_one():
    """y' = a y gives dy(1)/da = e^a."""
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y = rkbench.solve(
        lambda t, y: a * y, torch.ones(1, dtype=torch.float64), (0.0, 1.0), rtol=1e-10, atol=1e-10
    ).y[-1]
    y.sum().backward()
    assert a.grad.item() == pytest.approx(torch.tensor(0.7, dtype=torch.float64).exp().item(), rel=1e-8)


def test_rejected_steps_leave_no_gradient():
    taken = []
    weight = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

    def f(t, y):
        k = -weight * y + 50 * torch.exp(-(((t - 0.5) / 0.04) ** 2))
        if k.requires_grad:
            k.register_hook(taken.append)
        return k

    solution = rkbench.solve(f, torch.ones(1, dtype=torch.float64), (0.0, 1.0), rtol=1e-5, atol=1e-7)
    solution.y[-1].sum().backward()
    assert solution.stats.rejected > 0
    assert len(taken) == 6 * solution.stats.accepted


def test_a_parameter_that_f_does_not_use_gets_no_gradient_and_does_no_harm():
    used, unused = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    block = rkbench.ODEBlock(lambda t, y: used(y), method="rk4", steps=2)
    block(torch.ones(3, 2)).sum().backward()
    assert used.weight.grad is not None
    assert unused.weight.grad is None


def test_outputs_in_between_carry_gradients():
    a = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    y0 = torch.ones(1, dtype=torch.float64)
    y = rkbench.solve(lambda t, y: a * y, y0, (0.0, 2.0), t_eval=[0.5, 1.5], rtol=1e-9, atol=1e-9).y
    (gradient,) = torch.autograd.grad(y[0].sum(), a)
    assert gradient.item() == pytest.approx(0.5 * torch.tensor(0.25).exp().item(), rel=1e-4)
