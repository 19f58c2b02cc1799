"""`adjoint` gives the gradient of the continuous problem, counts what that costs, and says what it cannot do."""

import math

import pytest
import torch
from torch import nn

import rkbench

DOUBLE = torch.float64


def growth_gradient(**options):
    """Return dy(1)/da and dy(1)/dy0 of y' = a y, y(0) = 1; both are e^a at a = 0.7."""
    a = torch.tensor(0.7, dtype=DOUBLE, requires_grad=True)
    y0 = torch.ones(1, dtype=DOUBLE, requires_grad=True)
    y = rkbench.solve(lambda t, y: a * y, y0, (0.0, 1.0), gradient="adjoint", **options).y[-1]
    return [g.item() for g in torch.autograd.grad(y.sum(), (a, y0))]


@pytest.mark.parametrize("seminorm", [True, False])
def test_the_gradient_converges_to_the_closed_form_as_the_tolerance_shrinks(seminorm):
    errors = []
    for tolerance in (1e-4, 1e-7, 1e-10):
        found = growth_gradient(rtol=tolerance, atol=tolerance, seminorm=seminorm)
        errors.append(max(abs(g - math.exp(0.7)) for g in found))
    assert errors[0] > 30 * errors[1] > 900 * errors[2]
    assert errors[2] < 1e-8


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun2", 2), ("bosh3", 3), ("rk4", 4)])
def test_with_equal_steps_it_converges_with_the_order_of_the_method(method, order):
    errors = []
    for steps in (32, 64):
        found = growth_gradient(method=method, steps=steps)
        errors.append(max(abs(g - math.exp(0.7)) for g in found))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


class Net(nn.Module):
    """A tanh net as f, with a parameter that it never uses, and its calls and products counted."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=DOUBLE)
        self.unused = nn.Parameter(torch.ones(2, dtype=DOUBLE))
        self.calls = self.vjps = 0

    def forward(self, t, y):
        k = torch.tanh(self.linear(y) + torch.sin(t))
        if k.requires_grad:
            k.register_hook(self.count_vjp)
        self.calls += 1
        return k

    def count_vjp(self, gradient):
        self.vjps += 1


X = torch.linspace(-1, 2, 15, dtype=DOUBLE).reshape(5, 3)


def net_gradients(gradient, *, t_eval=None, t_span=(0.0, 1.0), **options):
    """Return the gradients to y0 and the weights, the net, the statistics, and the calls before backward."""
    f, x = Net(), X.clone().requires_grad_()
    solution = rkbench.solve(f, x, t_span, t_eval=t_eval, gradient=gradient, **options)
    forward = f.calls
    weights = torch.arange(1.0, len(solution.t) + 1, dtype=DOUBLE).reshape(-1, 1, 1)
    (weights * torch.sin(solution.y)).sum().backward()
    return [x.grad, f.linear.weight.grad, f.linear.bias.grad], f, solution.stats, forward


@pytest.mark.parametrize("method", ["dopri5", "dop853"])
@pytest.mark.parametrize(
    ("t_span", "t_eval"),
    [
        ((0.0, 1.0), None),
        ((0.0, 1.0), [1.0]),
        ((0.0, 2.0), [0.3, 0.3, 0.9]),
        ((1.0, 0.0), [1.0, 0.8, 0.1, 0.0]),
    ],
)
def test_at_a_tight_tolerance_it_is_the_gradient_of_backprop(method, t_span, t_eval):
    options = {"t_span": t_span, "t_eval": t_eval, "method": method, "rtol": 1e-10, "atol": 1e-10}
    expected, *_ = net_gradients("backprop", **options)
    found, *_ = net_gradients("adjoint", **options)
    for e, g in zip(expected, found, strict=True):
        assert (g - e).abs().max() < 1e-7 * e.abs().max()


def test_at_a_tight_tolerance_it_passes_gradcheck():
    weight = torch.linspace(-1, 1, 9, dtype=DOUBLE).reshape(3, 3).requires_grad_()

    def end(y0, weight):
        options = {"gradient": "adjoint", "rtol": 1e-11, "atol": 1e-11}
        return rkbench.solve(lambda t, y: torch.tanh(y @ weight + t), y0, (0.0, 1.0), **options).y[-1]

    assert torch.autograd.gradcheck(end, (X.clone().requires_grad_(), weight), fast_mode=True)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "rk4", "steps": 5},
        {"method": "dopri5", "rtol": 1e-4},
        {"method": "cash_karp", "rtol": 1e-4, "t_eval": [0.25, 1.0]},
        {"method": "dopri5", "rtol": 1e-4, "seminorm": False},
    ],
)
def test_backward_counts_its_evaluations_and_products_while_it_runs(options):
    _, f, stats, forward = net_gradients("adjoint", **options)
    assert stats.nfe == forward
    assert stats.nfe_backward == f.calls - forward
    assert stats.vjps == f.vjps == stats.nfe_backward > 0


@pytest.mark.parametrize("options", [{"method": "rk4", "steps": 5}, {"method": "dopri5", "rtol": 1e-4}])
def test_finding_the_parameters_costs_no_evaluation(options):
    _, _, adjoint, _ = net_gradients("adjoint", **options)
    _, _, backprop, _ = net_gradients("backprop", **options)
    assert adjoint.nfe == backprop.nfe


def test_a_method_that_does_not_start_at_t0_pays_for_finding_the_parameters():
    late = rkbench.ButcherTableau("late", order=1, c="1/2", a=("",), b="1")
    _, _, stats, forward = net_gradients("adjoint", method=late, steps=3)
    assert (stats.nfe_start, stats.nfe_accepted) == (1, 3)
    assert stats.nfe == forward


def test_equal_steps_go_back_over_the_grid_they_came_by():
    times = []
    a = torch.tensor(0.5, dtype=DOUBLE, requires_grad=True)

    def f(t, y):
        times.append(t.item())
        return a * y

    y0 = torch.ones(1, dtype=DOUBLE)
    options = {"method": "euler", "controller": rkbench.replay([0.1, 0.4, 0.5]), "gradient": "adjoint"}
    y = rkbench.solve(f, y0, (0.0, 1.0), t_eval=[0.1, 1.0], **options).y
    times.clear()
    y.sum().backward()
    assert times == pytest.approx([1.0, 0.5, 0.1])


def test_a_parameter_that_f_does_not_use_gets_none_as_after_backprop():
    for gradient in ("backprop", "adjoint"):
        _, f, *_ = net_gradients(gradient, method="rk4", steps=2)
        assert f.unused.grad is None


def test_parameters_are_found_however_a_plain_function_holds_them():
    """A module in a closure, a loose tensor, and a weight that is computed from another."""

    def gradients(road):
        torch.manual_seed(0)
        held = {
            "net": nn.Linear(3, 3, dtype=DOUBLE),
            "shift": torch.ones(3, dtype=DOUBLE, requires_grad=True),
        }
        h = torch.linspace(-1, 1, 3, dtype=DOUBLE, requires_grad=True)
        weight = torch.outer(h, h).exp()

        def f(t, y):
            return torch.tanh(held["net"](y) @ weight + held["shift"])

        y = rkbench.solve(f, X, (0.0, 1.0), gradient=road, rtol=1e-10, atol=1e-10).y
        return torch.autograd.grad(y[-1].sum(), [*held["net"].parameters(), held["shift"], h])

    for expected, found in zip(gradients("backprop"), gradients("adjoint"), strict=True):
        assert torch.allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_the_way_back_may_have_tolerances_of_its_own():
    def error(**options):
        return abs(growth_gradient(rtol=1e-10, atol=1e-10, **options)[0] - math.exp(0.7))

    assert error() < 1e-8 < error(adjoint_rtol=1e-3, adjoint_atol=1e-3)


def test_the_seminorm_takes_no_steps_for_the_parameter_gradient():
    """At a = 1 the state rests, while its gradient by a oscillates."""

    def cost(seminorm):
        a = torch.tensor(1.0, dtype=DOUBLE, requires_grad=True)
        y0 = torch.ones(1, dtype=DOUBLE)
        solution = rkbench.solve(
            lambda t, y: (a - 1) * torch.cos(40 * t) + 0 * y,
            y0,
            (0.0, 1.0),
            gradient="adjoint",
            seminorm=seminorm,
        )
        solution.y[-1].sum().backward()
        return solution.stats.nfe_backward

    assert 2 * cost(True) < cost(False)


def test_running_statistics_move_only_on_the_way_forth():
    def statistics(gradient):
        torch.manual_seed(0)
        norm = nn.BatchNorm1d(3, dtype=DOUBLE)
        block = rkbench.ODEBlock(Shifted(norm), method="rk4", steps=3, gradient=gradient)
        block(X).sum().backward()
        return [b.clone() for b in norm.buffers()]

    class Shifted(nn.Module):
        def __init__(self, norm):
            super().__init__()
            self.norm = norm

        def forward(self, t, y):
            return self.norm(y)

    assert all(map(torch.equal, statistics("backprop"), statistics("adjoint")))


def test_a_field_that_draws_random_numbers_is_refused():
    y0 = torch.ones(4, requires_grad=True)
    with pytest.raises(rkbench.SolverError, match="draws random numbers .* use gradient='checkpoint'"):
        rkbench.solve(lambda t, y: torch.dropout(y, 0.5, True), y0, (0.0, 1.0), gradient="adjoint")


def test_a_way_back_that_fails_raises_and_says_where():
    """Decay forth is growth back, where the tolerance soon asks for more steps than allowed."""
    y0 = torch.ones(2, dtype=DOUBLE, requires_grad=True)
    solution = rkbench.solve(
        lambda t, y: -50 * y, y0, (0.0, 4.0), gradient="adjoint", rtol=1e-3, atol=1e-3, max_steps=120
    )
    assert solution.status is rkbench.Status.OK
    with pytest.raises(rkbench.SolveError, match="solved back from t = 4: MAX_STEPS"):
        solution.y[-1].sum().backward()


def test_what_was_reached_before_a_failure_has_its_gradient():
    y0 = torch.ones(1, dtype=DOUBLE, requires_grad=True)
    solution = rkbench.solve(
        lambda t, y: y * y, y0, (0.0, 2.0), t_eval=[0.5, 1.5], gradient="adjoint", rtol=1e-8, atol=1e-8
    )
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    (found,) = torch.autograd.grad(solution.y[0].sum(), y0)
    assert found.item() == pytest.approx(4.0, rel=1e-6)  # y = y0 / (1 - t y0)


def test_a_weight_changed_before_backward_is_noticed():
    a = torch.tensor(0.5, requires_grad=True)
    y = rkbench.solve(lambda t, y: a * y, torch.ones(1), (0.0, 1.0), gradient="adjoint").y
    with torch.no_grad():
        a.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_second_derivative_is_refused():
    y0 = torch.ones(1, requires_grad=True)
    y = rkbench.solve(lambda t, y: torch.sin(y), y0, (0.0, 1.0), gradient="adjoint").y
    with pytest.raises(
        rkbench.SolverError, match="cannot be differentiated again; use gradient='checkpoint'"
    ):
        torch.autograd.grad(y[-1].sum(), y0, create_graph=True)


def test_without_a_gradient_to_come_it_is_the_solve_of_backprop():
    f = Net()
    with torch.no_grad():
        adjoint = rkbench.solve(f, X, (0.0, 1.0), gradient="adjoint")
        backprop = rkbench.solve(f, X, (0.0, 1.0))
    assert torch.equal(adjoint.y, backprop.y)
    assert adjoint.stats == backprop.stats
