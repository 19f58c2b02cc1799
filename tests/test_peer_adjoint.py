"""The adjoint of torchdiffeq: the gradient of the continuous problem, on our grid, and honestly counted."""

import pytest
import torch
from torch import nn

import rkbench

pytest.importorskip("torchdiffeq")

ENGINES = pytest.mark.parametrize("engine", ["torchdiffeq", "torchdiffeq_as_shipped"])
TIGHT = {"method": "dopri5_shampine", "controller": "i", "rtol": 1e-10, "atol": 1e-10}
LOOSE = TIGHT | {"rtol": 1e-3, "atol": 1e-6}
EQUAL = {"method": "rk38", "steps": 10}
SPANS = [((0.0, 1.0), None), ((0.0, 1.0), [0.25, 0.25, 1.0]), ((1.0, 0.0), [1.0, 0.8, 0.1, 0.0])]
X = torch.linspace(-1, 2, 15, dtype=torch.float64).reshape(5, 3)


class Net(nn.Module):
    """A tanh net, with a parameter that it never uses; notes when it is called."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 3, dtype=torch.float64)
        self.unused = nn.Parameter(torch.ones(2, dtype=torch.float64))
        self.times = []

    def forward(self, t, y):
        self.times.append(t.item())
        return torch.tanh(self.linear(y) + torch.sin(t))


def solved(engine, gradient, f=None, span=(0.0, 1.0), t_eval=None, **options):
    """Return the solution, f, y0, and how often f was called."""
    f, y0 = f or Net(), X.clone().requires_grad_()
    solution = rkbench.solve(f, y0, span, engine=engine, gradient=gradient, t_eval=t_eval, **options)
    return solution, f, y0, len(f.times) if isinstance(f, Net) else None


def gradients(*args, **options):
    """Return the gradients to y0 and the weights."""
    solution, f, y0, _ = solved(*args, **options)
    weights = torch.arange(1.0, len(solution.t) + 1, dtype=torch.float64).reshape(-1, 1, 1)
    (weights * torch.sin(solution.y)).sum().backward()
    return y0.grad, f.linear.weight.grad, f.linear.bias.grad


@ENGINES
@pytest.mark.parametrize(("span", "t_eval"), SPANS)
@pytest.mark.parametrize("seminorm", [True, False])
def test_at_a_tight_tolerance_it_is_the_gradient_of_backprop(engine, span, t_eval, seminorm):
    options = {"span": span, "t_eval": t_eval, **TIGHT}
    expected = gradients("rkbench", "backprop", **options)
    for e, g in zip(expected, gradients(engine, "adjoint", seminorm=seminorm, **options), strict=True):
        assert (g - e).norm() < 1e-7 * e.norm()


@pytest.mark.parametrize(("span", "t_eval"), SPANS)
def test_equal_steps_converge_to_it_with_the_order_of_the_method(span, t_eval):
    options = {"span": span, "t_eval": t_eval}
    expected = gradients("rkbench", "backprop", **options, **TIGHT)[0]
    found = (gradients("torchdiffeq", "adjoint", **options, **EQUAL | {"steps": n})[0] for n in (10, 20))
    coarse, fine = ((gradient - expected).norm() for gradient in found)
    assert 12 < coarse / fine < 20


@ENGINES
@pytest.mark.parametrize("options", [LOOSE, EQUAL, LOOSE | {"seminorm": False}])
@pytest.mark.parametrize(("span", "t_eval"), SPANS)
def test_the_counter_in_f_is_the_claim_both_ways(engine, options, span, t_eval):
    solution, f, _, forth = solved(engine, "adjoint", span=span, t_eval=t_eval, **options)
    assert solution.stats.nfe == forth
    assert solution.stats.nfe_backward == 0
    for runs in (1, 2):
        solution.y.sum().backward(retain_graph=True)
        assert solution.stats.nfe_backward == solution.stats.vjps == len(f.times) - forth > 0, runs


def test_equal_steps_go_back_as_they_came():
    solution, f, _, _ = solved("torchdiffeq", "adjoint", method="euler", steps=4, t_eval=[0.3, 1.0])
    f.times.clear()
    solution.y.sum().backward()
    assert f.times == pytest.approx([1.0, 0.75, 0.5, 0.3, 0.25])


def test_the_way_back_stays_inside_the_interval():
    solution, f, _, _ = solved("torchdiffeq", "adjoint", t_eval=[0.5, 1.0], **LOOSE)
    solution.y.sum().backward()
    assert 0.0 <= min(f.times) <= max(f.times) <= 1.0


def test_the_tolerances_of_the_way_back_are_its_own():
    cost = {}
    for rtol in (1e-2, 1e-9):
        solution, *_ = solved("torchdiffeq", "adjoint", adjoint_rtol=rtol, adjoint_atol=rtol, **LOOSE)
        solution.y[-1].sum().backward()
        cost[rtol] = solution.stats.nfe_backward
    assert cost[1e-2] < 0.5 * cost[1e-9]


def test_the_parameters_of_a_plain_function_are_found_for_one_evaluation():
    weight = torch.linspace(-1, 1, 9, dtype=torch.float64).reshape(3, 3).requires_grad_()
    calls = []

    def f(t, y):
        calls.append(t)
        return torch.tanh(y @ weight + t)

    solution, *_ = solved("torchdiffeq", "adjoint", f=f, **EQUAL)
    assert (solution.stats.nfe, solution.stats.nfe_start) == (len(calls), 1) == (41, 1)
    (found,) = torch.autograd.grad(solution.y[-1].sum(), weight)
    exact, *_ = solved("rkbench", "backprop", f=f, **TIGHT)
    (expected,) = torch.autograd.grad(exact.y[-1].sum(), weight)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("factor", "tolerance", "status"),
    [(torch.nan, 1e-9, "NON_FINITE"), (1.0, 1e-9, "MAX_STEPS")],
)
def test_a_way_back_that_fails_is_told_as_a_failed_solve(factor, tolerance, status):
    f = Net()
    solution, *_ = solved(
        "torchdiffeq", "adjoint", f=f, adjoint_rtol=tolerance, adjoint_atol=tolerance, max_steps=4, **LOOSE
    )
    assert solution.status is rkbench.Status.OK
    with torch.no_grad():
        f.linear.bias.data *= factor  # behind torch's back, or it would refuse by itself
    with pytest.raises(rkbench.SolveError, match="The adjoint, solved back") as failure:
        solution.y[-1].sum().backward()
    assert failure.value.solution.status is rkbench.Status[status]


@pytest.mark.parametrize("engine", ["torchode", "torchdyn"])
def test_other_libraries_refuse_the_adjoint_with_a_sentence(engine):
    pytest.importorskip(engine)
    with pytest.raises(rkbench.SolverError, match="its gradient is backprop, and not adjoint; use gradient="):
        solved(engine, "adjoint", **LOOSE)
