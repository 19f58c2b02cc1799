"""The catalogue of initial value problems: each reference answer is derived again, another way."""

import mpmath
import pytest
import torch
from high_precision import EQUATIONS, answer
from mpmath import mpf
from scipy.integrate import solve_ivp

from rkbench.problem import InitialValueProblem
from rkbench.problems import PROBLEMS
from rkbench.problems.answers import EXTRAPOLATION
from rkbench.problems.bodies import ECCENTRICITIES
from rkbench.problems.closed import COUPLED

SENSITIVE = {"arenstorf": 1e-9}
"""Where an early error grows: by 10⁵ on the orbit of Arenstorf."""

SLOW = {f"detest_{name}" for name in ("c3", "c4", "c5", "e2", "d4", "d5")} | {
    "pleiades",
    "arenstorf",
    "brusselator",
}
"""Those whose 40 digits take longer than a test may; `python tests/high_precision.py` prints them."""


def by_scipy(problem):
    """Return y(t1) as scipy finds it at its tightest."""

    def f(t, y):
        return problem.f(torch.tensor(t, dtype=torch.float64), torch.from_numpy(y)).numpy()

    found = solve_ivp(f, problem.t_span, problem.y0, method="DOP853", rtol=1e-13, atol=1e-14)
    return torch.from_numpy(found.y[:, -1].copy())


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_tight_integration_by_scipy_arrives_at_the_reference(problem):
    assert problem.error(by_scipy(problem)) < SENSITIVE.get(problem.name, 1e-11)


@pytest.mark.parametrize("name", [name for name in EQUATIONS if name not in SLOW])
def test_a_reference_without_closed_form_is_what_many_digits_give(name):
    with mpmath.workdps(30):
        exact = [float(x) for x in answer(name, 10, mpf(10) ** -20)]
    assert PROBLEMS[name].error(torch.tensor(exact, dtype=torch.float64)) < 1e-15


def test_every_reference_says_how_it_is_known():
    known = {name: problem.reference for name, problem in PROBLEMS.items()}
    assert {name for name, how in known.items() if how == EXTRAPOLATION} == set(EQUATIONS)
    assert set(known.values()) == {"closed form", EXTRAPOLATION}


def test_every_problem_says_what_it_is():
    assert all(problem.summary for problem in PROBLEMS.values())
    assert all(name == problem.name for name, problem in PROBLEMS.items())


def test_the_whole_of_detest_is_there():
    wanted = {f"detest_{letter}{number}" for letter in "abcde" for number in range(1, 6)}
    assert wanted <= set(PROBLEMS)
    assert {PROBLEMS[name].t_span for name in wanted} == {(0.0, 20.0)}


@pytest.mark.parametrize(("name", "eccentricity"), ECCENTRICITIES.items())
def test_an_orbit_ends_where_kepler_says(name, eccentricity):
    """Kepler's equation t = E - e sin E gives the eccentric anomaly E of the ellipse with unit half-axis."""
    e = mpf(eccentricity)
    anomaly = mpmath.findroot(lambda x: x - e * mpmath.sin(x) - 20, 20)
    place = (mpmath.cos(anomaly) - e, mpmath.sqrt(1 - e**2) * mpmath.sin(anomaly))
    assert PROBLEMS[name].y1[:2] == pytest.approx(tuple(map(float, place)), abs=1e-13)


@pytest.mark.parametrize(
    ("name", "invariant"),
    [
        ("detest_b3", lambda y: y.sum()),
        ("detest_b5", lambda y: y[0] ** 2 + y[1] ** 2),
        ("detest_c1", lambda y: y.sum()),
        ("detest_c2", lambda y: y.sum()),
        ("pleiades", lambda y: (torch.arange(1, 8) * y[14:21]).sum()),
        ("pleiades", lambda y: (torch.arange(1, 8) * y[21:]).sum()),
    ],
)
def test_what_a_problem_conserves_is_the_same_at_both_ends(name, invariant):
    start, end = (torch.tensor(y, dtype=torch.float64) for y in (PROBLEMS[name].y0, PROBLEMS[name].y1))
    assert invariant(end).item() == pytest.approx(invariant(start).item(), abs=1e-13)


def test_the_satellite_returns_after_one_period():
    assert PROBLEMS["arenstorf"].y1 == pytest.approx(PROBLEMS["arenstorf"].y0, abs=1e-10)


def test_the_stars_end_where_the_literature_says():
    """x₁ and y₁ of the Pleiades at t = 3, from the Test Set for IVP Solvers (Mazzia & Magherini 2008)."""
    y1 = PROBLEMS["pleiades"].y1
    assert (y1[0], y1[7]) == pytest.approx((0.3706139143970502, -3.943437585517392), rel=1e-14)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_f_keeps_the_shape_and_the_dtype_of_the_state(problem, dtype):
    y0 = problem.initial(dtype)
    slope = problem.f(torch.tensor(problem.t_span[0], dtype=dtype), y0)
    assert (slope.shape, slope.dtype) == (y0.shape, dtype)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_run_backwards_returns_to_its_start(problem):
    there = problem.backwards()
    assert (there.t_span, there.y0, there.y1) == (problem.t_span[::-1], problem.y1, problem.y0)
    assert there.backwards().y1 == problem.y1
    assert there.error(problem.initial()) == 0


def test_the_error_is_relative_to_the_size_of_the_answer_or_one():
    exact = torch.tensor(COUPLED.y1, dtype=torch.float64)
    assert COUPLED.error(exact + 1e-3) == pytest.approx(1e-3 / max(COUPLED.y1))
    decay = PROBLEMS["decay"]
    assert decay.error(torch.tensor(decay.y1, dtype=torch.float64) + 1e-3) == pytest.approx(1e-3)


def test_the_error_of_nan_is_nan_and_not_small():
    assert not COUPLED.error(torch.full((4,), torch.nan)) <= 1e300


def test_the_initial_state_has_the_dtype_asked_for():
    assert isinstance(COUPLED, InitialValueProblem)
    assert COUPLED.initial().dtype == torch.float64
    assert COUPLED.initial(torch.float32).dtype == torch.float32
