"""Each sample of a batch may have output times of its own; they cut no step and cost next to nothing."""

import pytest
import torch

import rkbench
from rkbench import SolverError, UnsupportedError, registry

METHODS = registry.default().methods
T0 = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
T1 = torch.tensor([1.0, 0.75, 0.0], dtype=torch.float64)
SHARES = torch.tensor([[0.0, 0.1, 0.35], [0.2, 0.1, 0.5], [0.21, 1.0, 0.99]], dtype=torch.float64)
TIMES = T0 + SHARES * (T1 - T0)


def f(t, y):
    return torch.stack((y[:, 1], -y[:, 0] * (1 + 0.5 * torch.sin(t[:, 0] if t.dim() else t))), 1)


def states():
    return torch.tensor([[1.0, 0.0], [0.5, 2.0], [-1.0, 1.0]], dtype=torch.float64)


def exact():
    rows = [
        rkbench.solve(
            f,
            states()[i, None],
            (T0[i], T1[i]),
            t_eval=list(TIMES[:, i]),
            method="dop853",
            rtol=1e-12,
            atol=1e-13,
        ).y
        for i in range(3)
    ]
    return torch.cat(rows, 1)


@pytest.mark.parametrize("control", ["batch", "sample"])
@pytest.mark.parametrize(
    "name", [name for name, method in METHODS.items() if method.adaptive and method.order > 2]
)
def test_states_between_steps_are_close_even_where_a_cubic_polynomial_gives_them(name, control):
    options = {"method": name, "rtol": 1e-6, "atol": 1e-8, "control": control}
    solution = rkbench.solve(f, states(), (T0, T1), t_eval=TIMES, **options)
    assert solution.y.shape == (3, 3, 2)
    assert torch.allclose(solution.y, exact(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["rk4", "kutta3"])
def test_without_dense_output_the_error_shrinks_with_the_fourth_power_at_most(name):
    errors = [
        float(
            (rkbench.solve(f, states(), (T0, T1), t_eval=TIMES, method=name, steps=n).y - exact()).abs().max()
        )
        for n in (20, 40)
    ]
    assert errors[0] / errors[1] == pytest.approx(2 ** min(4, METHODS[name].order), rel=0.35)


def test_no_step_is_cut():
    options = {"method": "dopri5", "rtol": 1e-5}
    plain = rkbench.solve(f, states(), (T0, T1), **options)
    assert rkbench.solve(f, states(), (T0, T1), t_eval=TIMES, **options).steps == plain.steps


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ({"method": "rk4", "steps": 10}, 1),
        ({"method": "euler", "steps": 10}, 1),
        ({"method": "rk4", "steps": 10, "gradient": "checkpoint"}, 1),
        ({"method": "bs5"}, 0),
        ({"method": "dopri5"}, 0),
    ],
)
def test_what_output_times_cost_is_counted(options, extra):
    """A method with dense output or with both slopes at hand needs nothing more, another what no next step evaluates."""
    calls = 0

    def counted(t, y):
        nonlocal calls
        calls += 1
        return f(t, y)

    stats = rkbench.solve(counted, states(), (T0, T1), t_eval=TIMES, **options).stats
    assert stats.nfe == calls
    assert stats.nfe_output == extra


def test_a_time_may_be_that_of_all():
    solution = rkbench.solve(
        f, states(), (0.0, torch.tensor([1.0, 2.0, 3.0])), t_eval=[0.5, torch.tensor([0.6, 1.0, 3.0])]
    )
    assert solution.t.tolist()[0] == [0.5, 0.5, 0.5]
    alone = rkbench.solve(f, states()[1, None], (0.0, 2.0), t_eval=[0.5, 1.0], rtol=1e-8)
    assert torch.allclose(solution.y[:, 1], alone.y[:, 0], atol=1e-3)


def test_a_solve_that_fails_leaves_what_it_did_not_reach_empty():
    y0 = torch.ones(2, 1, dtype=torch.float64)
    times = torch.tensor([[0.0, 0.0], [0.5, 1.0], [2.0, 2.0]])
    solution = rkbench.solve(
        lambda t, y: y * y, y0, (0.0, torch.tensor([2.0, 2.0])), t_eval=times, max_steps=50
    )
    assert solution.y[0].flatten().tolist() == [1.0, 1.0]
    assert solution.y[1, 0].item() == pytest.approx(2.0, rel=1e-2)
    assert bool(solution.y[2].isnan().all())


def test_times_outside_a_samples_span_are_refused():
    with pytest.raises(SolverError, match="for sample 1"):
        rkbench.solve(f, states(), (0.0, torch.tensor([1.0, 0.5, 1.0])), t_eval=[0.7])


def test_a_gradient_that_cannot_follow_says_so():
    with pytest.raises(UnsupportedError, match="'backprop' or 'checkpoint'"):
        rkbench.solve(f, states(), (T0, T1), t_eval=TIMES, gradient="adjoint")
