"""Every registered method, controller and engine is asked for every promise; and broken ones are found out."""

import dataclasses
import itertools
import random
from typing import Any

import pytest
import torch

from rkbench import registry
from rkbench.conformance import (
    CONTROLLER_PROMISES,
    ENGINE_PROMISES,
    METHOD_PROMISES,
    check_controller,
    check_engine,
    check_method,
)
from rkbench.controller import StepController
from rkbench.integrate.engine import NativeEngine
from rkbench.tableau import ButcherTableau

REGISTRY = registry.default()


def each(promises, things):
    """One test per thing and promise that concerns it."""
    for thing, promise in itertools.product(things.values(), promises):
        if promise.concerns(thing):
            yield pytest.param(promise, thing, id=f"{thing.name}: {promise.text}")


@pytest.mark.parametrize(
    ("promise", "thing"),
    [
        *each(METHOD_PROMISES, REGISTRY.methods),
        *each(CONTROLLER_PROMISES, REGISTRY.controllers),
        *each(ENGINE_PROMISES, REGISTRY.engines),
    ],
)
def test_the_promise_is_kept(promise, thing):
    check = promise.check(thing, REGISTRY)
    assert check.passed, check.detail
    assert check.detail


def broken(checks):
    return {check.promise for check in checks if not check.passed}


def keeps(promises, text, thing):
    """Whether ``thing`` keeps the one promise of that name."""
    (promise,) = (promise for promise in promises if promise.text == text)
    return promise.check(thing, REGISTRY).passed


# A method that escaped its proof.


def tampered(name, **changes) -> Any:
    """A registered method, changed behind the back of its proof."""
    method = dataclasses.replace(REGISTRY.method(name))
    for field, value in changes.items():
        object.__setattr__(method, field, value)
    return method


def test_a_method_of_lower_order_than_it_says_is_measured_to_be_so():
    rk4: Any = REGISTRY.method("rk4")
    found = broken(check_method(tampered("rk4", b=(rk4.b[0], rk4.b[2] / 2, rk4.b[2] * 3 / 2, rk4.b[3]))))
    assert found == {"observed order is the order"}


def test_a_wrong_node_is_measured_on_a_problem_that_depends_on_time():
    rk4: Any = REGISTRY.method("rk4")
    found = broken(check_method(tampered("rk4", c=(*rk4.c[:3], rk4.c[1]))))
    assert "observed order is the order" in found


def test_an_error_estimate_of_another_order_than_it_says_is_measured_to_be_so():
    bosh3: Any = REGISTRY.method("bosh3")
    wrong = tampered("bosh3", b_embedded=(*bosh3.b_embedded[:-2], bosh3.b_embedded[-1], 1))
    assert keeps(METHOD_PROMISES, "error estimate shrinks as claimed", bosh3)
    assert not keeps(METHOD_PROMISES, "error estimate shrinks as claimed", wrong)


def in_floats(name) -> Any:
    """A registered method, its coefficients given as floats."""
    method = REGISTRY.method(name)
    rows: Any = {field: [float(x) for x in getattr(method, field)] for field in ("c", "b", "b_embedded")}
    return ButcherTableau(
        name="floats", order=method.order, a=[[*map(float, row)] for row in method.a], **rows
    )


@pytest.mark.parametrize("name", ["dopri5", "vern8"])
def test_a_method_given_in_floats_keeps_the_promises_of_the_exact_one(name):
    assert broken(check_method(in_floats(name))) == set()


# An engine that does something else than the tableau says.


class Warped(NativeEngine):
    """The native engine, with something done to its solver, its f or its solution."""

    def __init__(self, solver=None, f=None, solution=None):
        self.of_solver, self.of_f, self.of_solution = solver, f, solution

    def solve(self, solver, f, y0, t_span, t_eval=None):
        solver = self.of_solver(solver) if self.of_solver else solver
        solution = super().solve(solver, self.of_f(f) if self.of_f else f, y0, t_span, t_eval)
        return self.of_solution(solution) if self.of_solution else solution


def with_engine(engine):
    """The registry, with another engine in place of the native one."""
    return registry.Registry(
        REGISTRY.plugins, {**REGISTRY.items, "engine": {"rkbench": engine}}, REGISTRY.owners
    )


def overcounted(solution):
    return dataclasses.replace(
        solution, stats=dataclasses.replace(solution.stats, nfe_accepted=solution.stats.nfe_accepted + 1)
    )


WARPS = {
    "NFE claimed is f calls counted": {"solution": overcounted},
    "stays inside and lands on t1": {"f": lambda f: lambda t, y: f(t + 1e-3, y)},
    "runs backwards in time": {"f": lambda f: lambda t, y: f(t.abs(), y)},
    "keeps the dtype": {"solution": lambda solution: dataclasses.replace(solution, y=solution.y.double())},
    "gradient is that of the computed map": {
        "solution": lambda solution: dataclasses.replace(solution, y=solution.y + solution.y.detach())
    },
    "deterministic": {
        "solution": lambda solution: dataclasses.replace(solution, y=solution.y + random.random() * 1e-9)
    },
    "a step is the tableau's": {
        "solver": lambda solver: dataclasses.replace(solver, method=REGISTRY.method("heun3"))
    },
}


@pytest.mark.parametrize("promise", WARPS)
def test_an_engine_that_breaks_a_promise_of_methods_is_found_out(promise):
    method = REGISTRY.method("kutta3")
    assert promise in broken(check_method(method, with_engine(Warped(**WARPS[promise]))))


def test_an_engine_with_other_numbers_than_the_native_one_is_found_out():
    rounded = Warped(solution=lambda solution: dataclasses.replace(solution, y=solution.y.float().double()))
    assert broken(check_engine(rounded)) == {"same answer as the native engine"}


def test_an_engine_that_miscounts_is_found_out():
    assert broken(check_engine(Warped(solution=overcounted))) == {"NFE claimed is f calls counted"}


def test_an_engine_that_hides_a_failure_is_found_out():
    hides = Warped(
        solution=lambda solution: dataclasses.replace(solution, y=solution.y.nan_to_num(), final=None)
    )
    assert broken(check_engine(hides)) == {"reports a failure as one"}


def test_an_engine_that_supports_nothing_keeps_no_promise_of_agreement():
    class Idle(NativeEngine):
        def unsupported(self, solver):
            return "it is asleep."

    assert broken(check_engine(Idle())) == {"same answer as the native engine"}


ITS_OWN = "a sample's steps are its own"


def test_an_engine_that_shares_steps_where_none_are_to_be_shared_is_found_out():
    shares = Warped(solver=lambda solver: dataclasses.replace(solver, control="batch"))
    assert broken(check_engine(shares)) == {ITS_OWN}


def test_an_engine_in_which_mates_matter_is_found_out():
    mixes = Warped(f=lambda f: lambda t, y: f(t, y) + 1e-6 * y.nanmean())
    assert ITS_OWN in broken(check_engine(mixes))


def test_an_engine_that_never_claims_it_is_not_asked_for_steps_of_each_sample():
    class Plain(NativeEngine):
        def unsupported(self, solver):
            return None if solver.control == "batch" else "it shares its steps; use control='batch'."

    assert ITS_OWN not in {check.promise for check in check_engine(Plain())}


def test_an_engine_whose_library_is_missing_keeps_no_promise():
    class Absent(NativeEngine):
        def unavailable(self):
            return "It is not installed; install it."

    [check] = check_engine(Absent())
    assert (check.passed, check.detail) == (False, "It is not installed; install it.")


# Controllers that break one rule each.


def test_a_controller_with_a_memory_of_its_own_is_found_out():
    turns = itertools.count()
    moody = StepController("moody", propose=lambda errors, ratios, k: 1 + next(turns) % 7)
    assert "same history, same answer" in broken(check_controller(moody))


def test_a_controller_that_never_grows_is_found_out():
    timid = StepController("timid", propose=lambda errors, ratios, k: 1.0)
    assert not keeps(CONTROLLER_PROMISES, "grows when errors are tiny", timid)


def test_a_controller_that_leaves_its_limits_is_found_out():
    class Wild(StepController):
        def factor(self, errors, ratios, k):
            return 1e6

    assert "stays within its limits" in broken(check_controller(Wild("wild", propose=lambda *history: 1.0)))


def test_a_controller_that_repeats_a_rejected_step_is_found_out():
    class Stubborn(StepController):
        def factor_after_rejection(self, error, k):
            return 1.0

    stubborn = Stubborn("stubborn", propose=lambda errors, ratios, k: errors[0] ** (-1 / k))
    assert not keeps(CONTROLLER_PROMISES, "shrinks after a rejection", stubborn)
    assert keeps(CONTROLLER_PROMISES, "stays within its limits", stubborn)


def test_a_controller_that_raises_breaks_the_promise_and_not_the_check():
    faulty = StepController("faulty", propose=lambda errors, ratios, k: errors[7])
    checks = check_controller(faulty)
    assert not any(check.passed for check in checks if "shrinks" not in check.promise)
    assert "IndexError" in checks[0].detail


def test_looking_does_not_move_the_global_random_state():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    check_method(REGISTRY.method("euler"))
    assert torch.equal(torch.rand(1), expected)
