"""`interpolated` is the adjoint beside the dense output: right where the adjoint drifts, and counted as it runs."""

import math

import pytest
import torch
from torch import nn

import rkbench
from rkbench import registry

DOUBLE = torch.float64
METHODS = registry.default().methods


def growth_gradient(**options):
    """Return dy(1)/da and dy(1)/dy0 of y' = a y, y(0) = 1; both are e^a at a = 0.7."""
    a = torch.tensor(0.7, dtype=DOUBLE, requires_grad=True)
    y0 = torch.ones(1, dtype=DOUBLE, requires_grad=True)
    y = rkbench.solve(lambda t, y: a * y, y0, (0.0, 1.0), gradient="interpolated", **options).y[-1]
    return [g.item() for g in torch.autograd.grad(y.sum(), (a, y0))]


@pytest.mark.parametrize("seminorm", [True, False])
@pytest.mark.parametrize("method", ["dopri5", "tsit5", "bosh3", "cash_karp"])
def test_the_gradient_converges_to_the_closed_form_as_the_tolerance_shrinks(method, seminorm):
    errors = []
    for tolerance in (1e-4, 1e-7, 1e-10):
        found = growth_gradient(method=method, rtol=tolerance, atol=tolerance, seminorm=seminorm)
        errors.append(max(abs(g - math.exp(0.7)) for g in found))
    assert errors[0] > 30 * errors[1] > 900 * errors[2]
    assert errors[2] < 1e-7


ORDERS = [
    ("euler", 1),
    ("heun2", 2),
    ("bosh3", 3),
    ("rk4", 4),
    ("dopri5", 5),
    ("cash_karp", 4),
    ("dop853", 4),
]
"""Method, and the order of the gradient: that of the method, or 4 for what is read off cubic polynomials."""


class Net(nn.Module):
    """A non-autonomous tanh net as f, with its calls and products counted."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=DOUBLE)
        self.unused = nn.Parameter(torch.ones(2, dtype=DOUBLE))
        self.calls = self.vjps = 0

    def forward(self, t, y):
        k = torch.tanh(self.linear(y) + torch.sin(3 * t))
        if k.requires_grad:
            k.register_hook(self.count_vjp)
        self.calls += 1
        return k

    def count_vjp(self, gradient):
        self.vjps += 1


X = torch.linspace(-1, 2, 15, dtype=DOUBLE).reshape(5, 3)


def net_gradients(gradient, *, t_eval=None, t_span=(0.0, 1.0), **options):
    """Return the gradients to y0 and the weights, the net, the solution, and the calls before backward."""
    f, x = Net(), X.clone().requires_grad_()
    solution = rkbench.solve(f, x, t_span, t_eval=t_eval, gradient=gradient, **options)
    forward = f.calls
    weights = torch.arange(1.0, len(solution.t) + 1, dtype=DOUBLE).reshape(-1, 1, 1)
    (weights * torch.sin(solution.y)).sum().backward()
    return [x.grad, f.linear.weight.grad, f.linear.bias.grad], f, solution, forward


def error(found, expected):
    """Return the largest error relative to each gradient."""
    return max(((g - e).abs().max() / e.abs().max()).item() for g, e in zip(found, expected, strict=True))


@pytest.fixture(scope="module")
def exact():
    return net_gradients("backprop", method="dop853", rtol=1e-13, atol=1e-13)[0]


@pytest.mark.parametrize(("method", "order"), ORDERS)
def test_with_equal_steps_it_converges_with_the_order_of_method_and_interpolation(method, order, exact):
    errors = [
        error(net_gradients("interpolated", method=method, steps=steps)[0], exact) for steps in (16, 32)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.9 if order == 5 else 0.35)


@pytest.mark.parametrize(("method", "order"), ORDERS)
def test_a_gradient_of_lower_order_than_its_method_is_told(method, order):
    tableau = rkbench.registry.default().method(method)
    told = rkbench.NativeEngine().remarks(tableau, adaptive=True, gradient="interpolated")
    assert bool(told) == (order < tableau.order)


@pytest.mark.parametrize(("method", "near"), [("dopri5", 1e-8), ("cash_karp", 1e-7), ("bs5", 1e-6)])
@pytest.mark.parametrize(
    ("t_span", "t_eval"),
    [
        ((0.0, 1.0), None),
        ((0.0, 1.0), [1.0]),
        ((0.0, 2.0), [0.3, 0.3, 0.9]),
        ((1.0, 0.0), [1.0, 0.8, 0.1, 0.0]),
    ],
)
def test_at_a_tight_tolerance_it_is_the_gradient_of_backprop(method, near, t_span, t_eval):
    options = {"t_span": t_span, "t_eval": t_eval, "method": method, "rtol": 1e-10, "atol": 1e-10}
    expected, _, plain, _ = net_gradients("backprop", **options)
    found, _, solution, _ = net_gradients("interpolated", **options)
    assert torch.equal(solution.y, plain.y)
    assert error(found, expected) < near


def contraction(gradient, **options):
    """Return dL/da of y' = -a sinh(y - cos t) over [0, 2] at a = 50: any error of y grows back to infinity."""
    a = torch.tensor(50.0, dtype=DOUBLE, requires_grad=True)
    y0 = torch.ones(1, dtype=DOUBLE)
    y = rkbench.solve(
        lambda t, y: -a * torch.sinh(y - torch.cos(t)), y0, (0.0, 2.0), gradient=gradient, **options
    ).y
    return torch.autograd.grad(y[-1].sum(), a)[0].item()


@pytest.mark.parametrize(
    "options", [{"steps": 100}, {"method": "rk4", "steps": 100}, {"rtol": 1e-6, "atol": 1e-6}]
)
def test_it_stays_right_where_the_state_that_the_adjoint_integrates_back_explodes(options):
    assert contraction("interpolated", **options) == pytest.approx(
        contraction("backprop", **options), rel=1e-3
    )
    if "steps" in options:
        assert math.isnan(contraction("adjoint", **options))
    else:
        with pytest.raises(rkbench.SolveError, match="solved back from t = 2: STEP_UNDERFLOW"):
            contraction("adjoint", **options)


COUNTED = [
    ({"method": "rk4", "steps": 5}, 1),
    ({"method": "dopri5", "steps": 5}, 1),
    ({"method": "dopri5", "rtol": 1e-4}, 0),
    ({"method": "bs5", "rtol": 1e-4}, 0),
    ({"method": "cash_karp", "rtol": 1e-4, "t_eval": [0.25, 1.0]}, 1),
    ({"method": "dopri5", "rtol": 1e-4, "t_eval": [0.25, 0.5], "seminorm": False}, 0),
]
"""Options, and the evaluations for slopes that the solve does not find by itself: at most the last one."""


@pytest.mark.parametrize(("options", "output"), COUNTED)
def test_every_evaluation_and_product_is_counted(options, output):
    _, f, solution, forward = net_gradients("interpolated", **options)
    stats = solution.stats
    assert (stats.nfe, stats.nfe_output) == (forward, output)
    assert stats.nfe_backward == stats.vjps == f.calls - forward == f.vjps > 0


def test_a_method_that_never_evaluates_at_the_ends_of_steps_pays_for_each():
    late = rkbench.ButcherTableau("late", order=1, c="1/2", a=("",), b="1")
    _, _, solution, forward = net_gradients("interpolated", method=late, steps=3)
    stats = solution.stats
    assert (stats.nfe_start, stats.nfe_accepted, stats.nfe_output) == (1, 3, 4)
    assert stats.nfe == forward


def test_an_interpolation_with_stages_of_its_own_has_them_evaluated():
    """Midpoint's rule, with a third stage that only its interpolation uses."""
    method = rkbench.ButcherTableau(
        "midpoint_dense",
        order=2,
        c=(0, "1/2", 1),
        a=((), ("1/2",), (1, 0)),
        b=(0, 1, 0),
        interpolation=((1, "-3/2", "1/2"), (0, 2, -1), (0, "-1/2", "1/2")),
    )
    _, _, solution, forward = net_gradients("interpolated", method=method, steps=4)
    assert (solution.stats.nfe_accepted, solution.stats.nfe_output) == (8, 4)
    assert solution.stats.nfe == forward


def test_the_way_back_may_have_tolerances_of_its_own():
    def off(**options):
        return abs(growth_gradient(rtol=1e-10, atol=1e-10, **options)[0] - math.exp(0.7))

    assert off() < 1e-8 < off(adjoint_rtol=1e-3, adjoint_atol=1e-3)


def test_a_parameter_that_f_does_not_use_gets_none():
    _, f, *_ = net_gradients("interpolated", method="rk4", steps=2)
    assert f.unused.grad is None


def test_what_was_reached_before_a_failure_has_its_gradient():
    y0 = torch.ones(1, dtype=DOUBLE, requires_grad=True)
    options = {"t_eval": [0.0, 0.5, 1.5], "rtol": 1e-8, "atol": 1e-8, "gradient": "interpolated"}
    solution = rkbench.solve(lambda t, y: y * y, y0, (0.0, 2.0), **options)
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    (found,) = torch.autograd.grad(solution.y[0].sum() + solution.y[1].sum(), y0)
    assert found.item() == pytest.approx(5.0, rel=1e-6)  # y = y0 / (1 - t y0)


def test_a_solve_that_never_took_a_step_goes_back_at_once():
    y0 = torch.ones(2, requires_grad=True)
    solution = rkbench.solve(lambda t, y: y * math.nan, y0, (0.0, 1.0), gradient="interpolated")
    assert torch.autograd.grad(solution.y[0].sum(), y0)[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_precisions_pass_through(dtype):
    y0 = torch.linspace(-1, 1, 6).reshape(2, 3).to(dtype).requires_grad_()
    options = {"method": "rk4", "steps": 4, "gradient": "interpolated"}
    y = rkbench.solve(lambda t, y: torch.sin(y), y0, (0.0, 1.0), **options).y
    (found,) = torch.autograd.grad(y.sum(), y0)
    assert found.dtype is dtype
    assert found.isfinite().all()


def test_random_numbers_and_second_derivatives_are_refused():
    y0 = torch.ones(4, requires_grad=True)
    with pytest.raises(rkbench.SolverError, match="draws random numbers"):
        rkbench.solve(lambda t, y: torch.dropout(y, 0.5, True), y0, (0.0, 1.0), gradient="interpolated")
    y = rkbench.solve(lambda t, y: torch.sin(y), y0, (0.0, 1.0), gradient="interpolated").y
    with pytest.raises(rkbench.SolverError, match="interpolated cannot be differentiated again"):
        torch.autograd.grad(y.sum(), y0, create_graph=True)
