"""Where scipy has the same pair, ours errs and costs like it, on every problem of the catalogue."""

import itertools

import pytest
import torch

import rkbench
from rkbench import registry
from rkbench.problems import PROBLEMS

# RK23, RK45 and DOP853. Norm, safety, limits and first step are the same there, see Hairer, Nørsett & Wanner I, II.4;
# what differs is that we stop evaluating f at t1, and that a step cut to land there teaches our controller nothing.
PAIRS = ("bosh3", "dopri5", "dop853")
METHODS = registry.default().methods
WORST_ERROR, FEWEST, MOST = 20, 0.6, 1.6


class Counter:
    """f, counted apart from the engine."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, t, y):
        self.calls += 1
        return self.f(t, y)


def solved(problem, engine, method, **options):
    """Return the error and the evaluations of f, of a solve that went well and counted right."""
    f = Counter(problem.f)
    with torch.no_grad():
        solution = rkbench.solve(
            f, problem.initial(), problem.t_span, method=method, engine=engine, **options
        )
    assert solution.status is rkbench.Status.OK
    assert solution.stats.nfe == f.calls
    return problem.error(solution.y[-1]), f.calls


@pytest.mark.parametrize(
    ("method", "tol"),
    [*itertools.product(PAIRS, (1e-3,)), ("bosh3", 1e-5), ("dopri5", 1e-6), ("dop853", 1e-6)],
)
def test_errors_and_evaluations_are_those_of_scipy(method, tol):
    options = {"method": method, "rtol": tol, "atol": tol, "controller": "i"}
    misfits = {}
    for name, problem in PROBLEMS.items():
        (error, nfe), (its_error, its_nfe) = (
            solved(problem, engine, **options) for engine in ("rkbench", "scipy")
        )
        if error > WORST_ERROR * its_error or not FEWEST <= nfe / its_nfe <= MOST:
            misfits[name] = (error, its_error, nfe, its_nfe)
    assert misfits == {}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_claims_the_evaluations_it_makes_on_every_problem(method):
    for problem in PROBLEMS.values():
        f = Counter(problem.f)
        with torch.no_grad():
            solution = rkbench.solve(f, problem.initial(), problem.t_span, method=method, steps=3)
        assert solution.stats.nfe == f.calls


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.adaptive])
@pytest.mark.parametrize("problem", ["detest_a3", "detest_e2", "lorenz"])
def test_every_pair_claims_the_evaluations_it_makes(method, problem):
    error, _ = solved(PROBLEMS[problem], "rkbench", method, rtol=1e-4, atol=1e-4)
    assert error < 0.05
