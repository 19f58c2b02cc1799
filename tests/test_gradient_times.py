"""Times that ask for a gradient get one along every road, and times that do not change nothing."""

import copy
import math

import pytest
import torch
from torch import nn

import rkbench
from rkbench.solver import GRADIENTS

DOUBLE = torch.float64
EXACT = [road for road in GRADIENTS if road not in ("adjoint", "interpolated")]
WEIGHT = torch.linspace(-1, 1, 9, dtype=DOUBLE).reshape(3, 3)
Y0 = torch.linspace(-1, 2, 6, dtype=DOUBLE).reshape(2, 3)
SOLVERS = [
    {"method": "rk4", "steps": 9},
    {"method": "bosh3", "rtol": 1e-5, "atol": 1e-6},
    {"method": "cash_karp"},
]
SPANS = [(0.2, 1.3), (1.3, 0.2)]


def field(t, y):
    return torch.tanh(y @ WEIGHT + torch.sin(3 * t))


def time(value):
    return torch.tensor(value, dtype=DOUBLE, requires_grad=True)


def loss(y):
    """Return a loss that weighs every output time differently."""
    return (torch.sin(y) * torch.arange(1.0, len(y) + 1, dtype=y.dtype).reshape(-1, 1, 1)).sum()


def differences(function, times, eps=1e-5):
    """Return the central differences of ``function`` by each of its times."""
    moved = [
        [[*times[:i], times[i] + sign * eps, *times[i + 1 :]] for i in range(len(times))] for sign in (1, -1)
    ]
    return [(function(up) - function(down)) / (2 * eps) for up, down in zip(*moved, strict=True)]


@pytest.mark.parametrize("options", SOLVERS)
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("road", GRADIENTS)
def test_values_steps_and_counts_are_those_of_plain_numbers(road, span, options):
    plain = rkbench.solve(field, Y0, span, gradient=road, **options)
    moving = rkbench.solve(field, Y0, tuple(map(time, span)), gradient=road, **options)
    assert torch.equal(plain.y, moving.y)
    assert (plain.steps, plain.t, plain.stats.nfe) == (moving.steps, moving.t, moving.stats.nfe)
    assert moving.y.requires_grad


@pytest.mark.parametrize("method", ["euler", "rk4", "dopri5"])
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("road", EXACT)
def test_ends_get_the_gradient_of_the_computed_map(road, span, method):
    def end(times):
        return loss(rkbench.solve(field, Y0, times, method=method, steps=5).y).item()

    ends = tuple(map(time, span))
    found = torch.autograd.grad(
        loss(rkbench.solve(field, Y0, ends, method=method, steps=5, gradient=road).y), ends
    )
    assert [g.item() for g in found] == pytest.approx(differences(end, span), rel=1e-7)


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("road", GRADIENTS)
def test_at_a_tight_tolerance_they_are_those_of_the_problem(road, span):
    """dL/dt1 = λ(t1)·f(t1, y1), and dL/dt0 = -λ(t0)·f(t0, y0) with λ(t0) = dL/dy0."""
    ends, y0 = tuple(map(time, span)), Y0.clone().requires_grad_()
    y = rkbench.solve(field, y0, ends, t_eval=ends[1:], rtol=1e-10, atol=1e-10, gradient=road).y
    by_t0, by_t1, by_y0 = torch.autograd.grad(torch.sin(y).sum(), (*ends, y0))
    y1 = y[-1].detach()
    assert by_t1.item() == pytest.approx((torch.cos(y1) * field(ends[1], y1)).sum().item(), rel=1e-6)
    assert by_t0.item() == pytest.approx(-(by_y0 * field(ends[0], Y0)).sum().item(), rel=1e-6)


@pytest.mark.parametrize("options", SOLVERS)
@pytest.mark.parametrize("road", EXACT)
def test_all_exact_roads_agree(road, options):
    def gradients(road):
        ends = tuple(map(time, SPANS[0]))
        return torch.autograd.grad(loss(rkbench.solve(field, Y0, ends, gradient=road, **options).y), ends)

    for g, e in zip(gradients(road), gradients("backprop"), strict=True):
        assert g.item() == pytest.approx(e.item(), rel=1e-12)


TIMES = [0.2, 0.5, 0.5, 0.9, 1.3]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("method", ["dopri5", "cash_karp"])
@pytest.mark.parametrize("road", GRADIENTS)
def test_odeint_differentiates_every_output_time(road, method, backward):
    start = TIMES[::-1] if backward else TIMES
    options = {"method": method, "rtol": 1e-9, "atol": 1e-9}
    t = time(start)
    y = rkbench.odeint(field, Y0, t, gradient=road, **options)
    assert torch.equal(y, rkbench.odeint(field, Y0, start, gradient=road, **options))
    (found,) = torch.autograd.grad(loss(y), t)
    apart = [
        x + 1e-4 * i * (-1 if backward else 1) for i, x in enumerate(start)
    ]  # equal times cannot change places

    def computed(times):
        return loss(rkbench.odeint(field, Y0, times, method="dop853", rtol=1e-12, atol=1e-12)).item()

    assert found.tolist() == pytest.approx(differences(computed, apart), rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("road", GRADIENTS)
def test_a_number_among_the_output_times_stays_where_it_is_when_the_span_moves(road):
    """The state at a time of its own does not depend on where the solve goes on to; on its start it does."""
    ends = tuple(map(time, SPANS[0]))
    options = {"rtol": 1e-9, "atol": 1e-9, "gradient": road}
    solution = rkbench.solve(field, Y0, ends, t_eval=[0.7, 1.3], **options)
    by_t0, by_t1 = torch.autograd.grad(loss(solution.y), ends)

    def computed(start):
        return loss(
            rkbench.solve(field, Y0, (*start, 1.3), t_eval=[0.7, 1.3], rtol=1e-12, atol=1e-12).y
        ).item()

    assert by_t1.item() == pytest.approx(0, abs=1e-6)
    assert by_t0.item() == pytest.approx(differences(computed, [0.2])[0], rel=1e-5)


def test_an_output_time_inside_costs_one_evaluation_and_an_end_none():
    calls = []

    def counted(t, y):
        calls.append(t)
        return field(t, y)

    ends, inside = tuple(map(time, SPANS[0])), time(0.7)
    for t_eval, cost in ((None, 0), (ends, 0), ([*ends[:1], inside, 0.9, ends[1]], 2), ([inside, inside], 2)):
        calls.clear()
        stats = rkbench.solve(counted, Y0, ends, t_eval=t_eval).stats
        assert stats.nfe_output == cost
        assert stats.nfe == len(calls)


@pytest.mark.parametrize("road", GRADIENTS)
def test_an_empty_interval_moves_with_its_slope(road):
    ends, y0 = (time(0.4), time(0.4)), Y0.clone().requires_grad_()
    y = rkbench.solve(field, y0, ends, gradient=road).y
    assert torch.equal(y[1], Y0)
    by_t0, by_t1, by_y0 = torch.autograd.grad(y[1].sum(), (*ends, y0), allow_unused=True)
    slope = field(torch.tensor(0.4, dtype=DOUBLE), Y0).sum().item()
    assert by_t1.item() == pytest.approx(slope)
    assert by_t0.item() == pytest.approx(-slope)
    assert torch.equal(by_y0, torch.ones_like(Y0))


@pytest.mark.parametrize("road", GRADIENTS)
def test_one_end_may_move_alone_and_depend_on_a_parameter(road):
    raw = torch.tensor(0.3, requires_grad=True)  # float32 beside a state in float64
    end = nn.functional.softplus(raw)
    y = rkbench.solve(lambda t, y: -y, Y0, (0, end), t_eval=(end,), rtol=1e-9, atol=1e-9, gradient=road).y
    (found,) = torch.autograd.grad(y.sum(), raw)
    by_end = -(Y0 * math.exp(-end.item())).sum().item()
    assert found.item() == pytest.approx(by_end * torch.sigmoid(raw).item(), rel=1e-5)


@pytest.mark.parametrize("road", GRADIENTS)
def test_a_block_learns_how_long_to_run(road):
    """y' = -y from 1 shall end at 1/4: the span grows to log 4."""
    end = nn.Parameter(torch.tensor(0.5, dtype=DOUBLE))
    block = rkbench.ODEBlock(lambda t, y: -y, t_span=(0.0, end), method="rk4", steps=8, gradient=road)
    assert [name for name, _ in block.named_parameters()] == ["t1"]
    descent = torch.optim.SGD(block.parameters(), lr=1.0)
    for _ in range(60):
        descent.zero_grad()
        (block(torch.ones(1, dtype=DOUBLE)) - 0.25).square().sum().backward()
        descent.step()
    assert end.item() == pytest.approx(math.log(4), rel=1e-2)
    assert "t_span=(0.0, 1.3" in repr(block)


def test_a_copied_block_learns_its_own_time():
    block = rkbench.ODEBlock(
        lambda t, y: -y, t_span=(0.0, nn.Parameter(torch.tensor(0.5))), method="rk4", steps=2
    )
    twin = copy.deepcopy(block)
    twin(torch.ones(2)).sum().backward()
    assert twin.t1.grad is not None
    assert block.t1.grad is None


def test_without_a_gradient_to_come_times_are_numbers():
    with torch.no_grad():
        y = rkbench.solve(field, Y0, tuple(map(time, SPANS[0])), t_eval=[time(0.7)]).y
    assert torch.equal(y, rkbench.solve(field, Y0, SPANS[0], t_eval=[0.7]).y)


def test_second_derivatives_by_the_ends_exist():
    """d²/dt1² of y0 exp(-(t1 - t0)) is itself."""
    end = time(0.8)
    y = rkbench.solve(lambda t, y: -y, torch.ones(1, dtype=DOUBLE), (0.0, end), method="rk4", steps=40).y[-1]
    (first,) = torch.autograd.grad(y.sum(), end, create_graph=True)
    (second,) = torch.autograd.grad(first, end)
    assert second.item() == pytest.approx(math.exp(-0.8), rel=1e-5)


def test_second_derivatives_by_times_inside_are_refused():
    inside = time(0.5)
    y = rkbench.solve(lambda t, y: -y, torch.ones(1, dtype=DOUBLE), (0.0, 1.0), t_eval=[inside]).y
    with pytest.raises(
        rkbench.SolverError, match="output times inside the span cannot be differentiated again"
    ):
        torch.autograd.grad(y.sum(), inside, create_graph=True)


def test_an_output_time_that_was_not_reached_gets_no_gradient():
    times = time([0.5, 1.5])
    solution = rkbench.solve(lambda t, y: y * y, torch.ones(1, dtype=DOUBLE), (0.0, 2.0), t_eval=[*times])
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    (found,) = torch.autograd.grad(solution.y[0].sum(), times)
    assert found.tolist() == pytest.approx([4.0, 0.0], rel=1e-3)  # y = 1 / (1 - t)


def test_parameters_and_running_statistics_are_found_behind_moving_times():
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.linear, self.norm = nn.Linear(3, 3, dtype=DOUBLE), nn.BatchNorm1d(3, dtype=DOUBLE)

        def forward(self, t, y):
            return torch.tanh(self.norm(self.linear(y)))

    def trained(road):
        f, end = Layer(), time(1.0)
        rkbench.solve(f, Y0, (0.0, end), method="rk4", steps=4, gradient=road).y[-1].sum().backward()
        return [*(p.grad for p in f.parameters()), end.grad, *f.buffers()]

    for road in EXACT:
        for g, e in zip(trained(road), trained("backprop"), strict=True):
            assert torch.allclose(g, e, rtol=1e-10, atol=1e-13)


def test_an_engine_that_cannot_refuses():
    class Foreign:
        name = "foreign"

        def unsupported(self, solver):
            return None

        def solve(self, solver, f, y0, t_span, t_eval=None):
            raise AssertionError

    with pytest.raises(rkbench.SolverError, match="foreign gives no gradient to times; detach them"):
        rkbench.solve(field, Y0, (0.0, time(1.0)), engine=Foreign())


@pytest.mark.parametrize("span", [(0.0, math.nan), (0.0, 1.0, 2.0), (math.inf, 0.0)])
def test_wrong_times_are_refused_as_numbers_are(span):
    with pytest.raises(rkbench.SolverError):
        rkbench.solve(field, Y0, tuple(map(time, span)))
