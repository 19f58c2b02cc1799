"""`solve`, `odeint` and `ODEBlock` say in one sentence what a user got wrong."""

import copy
import math

import numpy as np
import pytest
import torch

import rkbench

Y0 = torch.ones(2)


def decay(t, y):
    return -y


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "rk4"}, "rk4: equal steps were asked for without saying how many; give steps=10"),
        ({"method": "dopri55"}, "did you mean dopri5"),
        ({"method": "rk4", "steps": 0}, "whole number from 1 on"),
        ({"method": "rk4", "controller": "pi"}, "no embedded solution"),
        ({"steps": 5, "controller": "pi"}, "drop one"),
        ({"controller": "replay"}, "needs its steps"),
        ({"rtol": -1.0}, "rtol must be a number from 0 on"),
        ({"rtol": math.nan}, "rtol must be a number from 0 on"),
        ({"rtol": 0.0, "atol": 0.0}, "no step can meet"),
        ({"norm": "max"}, "choose one of: rms, worst_sample"),
        ({"control": "each"}, "choose one of: batch, sample"),
        ({"gradient": "magic"}, "choose one of: backprop"),
        ({"engine": "numpy"}, "There is no engine named 'numpy'"),
        ({"max_steps": 0}, "at least 1"),
        ({"rtol": "1e-3"}, "rtol must be a number from 0 on"),
        ({"steps": True, "method": "rk4"}, "whole number from 1 on"),
        ({"steps": 2.5, "method": "rk4"}, "whole number from 1 on"),
        ({"steps": 7, "controller": rkbench.replay([1.0])}, "drop it"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(rkbench.UserError, match=sentence):
        rkbench.solve(decay, Y0, (0.0, 1.0), **options)


@pytest.mark.parametrize(
    ("f", "y0", "span", "sentence"),
    [
        (decay, torch.ones(2, dtype=torch.int64), (0, 1), "real floating dtype"),
        (decay, [1.0], (0, 1), "real floating dtype"),
        (decay, torch.ones(2, dtype=torch.complex64), (0, 1), "real floating dtype"),
        (decay, Y0, (0, math.inf), "not finite"),
        (decay, Y0, (0, 1, 2), "give \\(t0, t1\\)"),
        (lambda t, y: y[:1], Y0, (0, 1), "returned shape \\(1,\\)"),
        (lambda t, y: y.double(), Y0, (0, 1), "torch.float64 for a state"),
        (lambda t, y: 1.0, Y0, (0, 1), "returned float"),
    ],
)
def test_a_wrong_problem_is_refused_in_one_sentence(f, y0, span, sentence):
    with pytest.raises(rkbench.SolverError, match=sentence):
        rkbench.solve(f, y0, span)


@pytest.mark.parametrize("t_eval", [[0.5, 0.2], [0.5, 1.5], [-0.1, 0.5]])
def test_output_times_must_follow_the_span(t_eval):
    with pytest.raises(rkbench.SolverError, match="t_eval must run from t0 = 0 towards t1 = 1"):
        rkbench.solve(decay, Y0, (0.0, 1.0), t_eval=t_eval)


def test_odeint_takes_times_and_returns_states():
    t = torch.linspace(0, 2, 5)
    y = rkbench.odeint(decay, Y0, t, rtol=1e-6, atol=1e-8)
    assert y.shape == (5, 2)
    assert torch.allclose(y[:, 0], torch.exp(-t), atol=1e-5)


def test_odeint_raises_where_the_solve_failed_and_keeps_what_was_reached():
    with pytest.raises(rkbench.SolveError, match="STEP_UNDERFLOW at t = 0.99") as caught:
        rkbench.odeint(lambda t, y: y * y, Y0, [0.0, 0.5, 2.0])
    assert caught.value.solution.y[1].tolist() == pytest.approx([2.0, 2.0], rel=1e-2)


def test_odeint_raises_on_a_non_finite_state_of_equal_steps():
    with pytest.raises(rkbench.SolveError, match="NON_FINITE"):
        rkbench.odeint(lambda t, y: y * y, Y0, [0.0, 2.0], method="rk4", steps=50)


def test_a_tableau_needs_no_name_in_the_registry():
    mine = rkbench.ButcherTableau("unregistered", order=2, c="0 1/2", a=("", "1/2"), b="0 1")
    assert rkbench.solve(decay, Y0, (0.0, 1.0), method=mine, steps=4).stats.nfe == 8


def test_a_block_trains_the_parameters_of_its_field():
    torch.manual_seed(0)
    field = torch.nn.Linear(2, 2)

    class Field(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = field

        def forward(self, t, y):
            return torch.tanh(self.linear(y))

    block = rkbench.ODEBlock(Field(), method="bosh3", rtol=1e-3)
    assert len(list(block.parameters())) == 2
    block(torch.ones(4, 2)).sum().backward()
    assert field.weight.grad.abs().sum() > 0
    assert block.last_stats.nfe > 0
    assert "method=bosh3, rtol=0.001" in repr(block)


def test_a_block_raises_when_its_solve_fails():
    block = rkbench.ODEBlock(lambda t, y: y * y, t_span=(0.0, 2.0))
    with pytest.raises(rkbench.SolveError, match="STEP_UNDERFLOW"):
        block(Y0)


def test_a_block_can_be_copied_and_saved():
    block = rkbench.ODEBlock(torch.nn.Identity(), method="rk4", steps=2)
    assert copy.deepcopy(block).solver.method == block.solver.method


def test_steps_may_be_any_whole_number():
    assert rkbench.solve(decay, Y0, (0.0, 1.0), method="rk4", steps=np.int64(5)).stats.accepted == 5


def test_a_block_with_a_whole_solver_takes_no_options_beside_it():
    solver = rkbench.ODEBlock(decay, method="rk4", steps=2).solver
    with pytest.raises(rkbench.SolverError, match="steps would be ignored"):
        rkbench.ODEBlock(decay, solver=solver, steps=50)
