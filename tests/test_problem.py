"""The catalogue of initial value problems: each reference answer is derived again, another way."""

import mpmath
import pytest
import torch

from rkbench.problem import COUPLED, PROBLEMS, TAYLOR

CHAOTIC = {
    "van_der_pol": lambda t, y: [y[1], (1 - y[0] ** 2) * y[1] - y[0]],
    "lorenz": lambda t, y: [
        10 * (y[1] - y[0]),
        y[0] * (28 - y[2]) - y[1],
        y[0] * y[1] - mpmath.mpf(8) / 3 * y[2],
    ],
}


def rk4(problem, steps):
    """The classic method in plain loops, apart from the engine under test elsewhere."""
    t0, t1 = problem.t_span
    h = (t1 - t0) / steps
    y = problem.initial()
    for n in range(steps):
        t = torch.tensor(t0 + n * h, dtype=torch.float64)
        k1 = problem.f(t, y)
        k2 = problem.f(t + h / 2, y + h / 2 * k1)
        k3 = problem.f(t + h / 2, y + h / 2 * k2)
        k4 = problem.f(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_plain_integration_approaches_the_reference_at_fourth_order(problem):
    coarse, fine = problem.error(rk4(problem, 400)), problem.error(rk4(problem, 800))
    assert fine < 1e-6
    assert 12 < coarse / fine < 20


@pytest.mark.parametrize("name", CHAOTIC)
def test_a_reference_without_closed_form_is_what_a_taylor_integration_gives(name):
    problem = PROBLEMS[name]
    assert problem.reference == TAYLOR
    with mpmath.workdps(20):
        y = mpmath.odefun(CHAOTIC[name], 0, list(map(mpmath.mpf, problem.y0)), tol=mpmath.mpf(10) ** -17)
        assert (
            problem.error(torch.tensor(list(map(float, y(problem.t_span[1]))), dtype=torch.float64)) < 1e-14
        )


def test_every_reference_says_how_it_is_known():
    assert {problem.reference for problem in PROBLEMS.values()} == {"closed form", TAYLOR}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_run_backwards_returns_to_its_start(problem):
    there = problem.backwards()
    assert (there.t_span, there.y0, there.y1) == (problem.t_span[::-1], problem.y1, problem.y0)
    assert there.backwards().error(problem.initial()) > 0.1
    assert there.error(problem.initial()) == 0


def test_the_error_is_relative_to_the_size_of_the_answer_or_one():
    exact = torch.tensor(COUPLED.y1, dtype=torch.float64)
    assert COUPLED.error(exact + 1e-3) == pytest.approx(1e-3 / max(COUPLED.y1))
    decay = PROBLEMS["decay"]
    assert decay.error(torch.tensor(decay.y1, dtype=torch.float64) + 1e-3) == pytest.approx(1e-3)


def test_the_error_of_nan_is_nan_and_not_small():
    assert not COUPLED.error(torch.full((4,), torch.nan)) <= 1e300


def test_the_initial_state_has_the_dtype_asked_for():
    assert COUPLED.initial().dtype == torch.float64
    assert COUPLED.initial(torch.float32).dtype == torch.float32
