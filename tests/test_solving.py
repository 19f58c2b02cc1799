"""An initial value problem is solved once under audit, then against the clock; nothing is trained."""

import pytest
import torch

import rkbench
from rkbench import NativeEngine, SolveTask, registry, suite
from rkbench.errors import SolveError
from rkbench.experiments import solving
from rkbench.experiments.failure import ExperimentFailed
from rkbench.interface import make_solver
from rkbench.plan import blank_record, expand
from rkbench.problem import InitialValueProblem
from rkbench.problems import PROBLEMS

[CELL] = expand(
    suite.select(suite.load("quick"), tasks=["decay"], methods=["rk4"], seeds=1), registry.default()
)


@pytest.fixture(autouse=True)
def _double():
    """As a cell of the suite has it, for this file alone."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def measured(problem, solver):
    record = blank_record(CELL)
    solving.measure(CELL, SolveTask(problem.name, problem), solver, record, lambda row: None)
    return record


def test_error_bill_and_time_are_recorded():
    record = measured(PROBLEMS["lorenz"], make_solver("dopri5", rtol=1e-6, atol=1e-6))
    problem = PROBLEMS["lorenz"]
    solution = rkbench.solve(problem.f, problem.initial(), problem.t_span, rtol=1e-6, atol=1e-6)
    assert record.solution_error == problem.error(solution.y[-1])
    assert record.nfe_forward == solution.stats.nfe
    assert (record.accepted, record.rejected) == (solution.stats.accepted, solution.stats.rejected)
    assert record.solve_seconds is not None
    assert record.solve_seconds > 0
    assert record.train_seconds is record.test_accuracy is record.compile_seconds is None


def test_the_state_has_the_dtype_of_the_suite():
    torch.set_default_dtype(torch.float32)
    error = measured(PROBLEMS["decay"], make_solver("dop853", rtol=1e-9, atol=1e-9)).solution_error
    assert error is not None
    assert 1e-9 < error < 1e-5


def test_no_gradient_is_recorded():
    seen = []

    def f(t, y):
        seen.append(torch.is_grad_enabled())
        return -y

    problem = InitialValueProblem("mine", f, (1.0,), (0.0, 1.0), (0.36787944117144233,), "closed form")
    measured(problem, make_solver("rk4", steps=4))
    assert not any(seen)


class Liar(NativeEngine):
    """One evaluation more than it claims."""

    name = "liar"

    def solve(self, solver, f, y0, t_span, t_eval=None):
        f(torch.tensor(0.0), y0)
        return super().solve(solver, f, y0, t_span, t_eval)


def test_an_engine_that_miscounts_has_no_result():
    with pytest.raises(
        ExperimentFailed, match="claims 20 evaluations of f where the harness counted 21"
    ) as caught:
        measured(PROBLEMS["decay"], make_solver("rk4", steps=5, engine=Liar()))
    assert caught.value.status == "plugin_failed"


def test_a_solve_that_fails_says_how_and_what_it_cost():
    blow_up = InitialValueProblem("blow_up", lambda t, y: y * y, (1.0,), (0.0, 2.0), (0.0,), "none")
    record = blank_record(CELL)
    with pytest.raises(SolveError):
        solving.measure(CELL, SolveTask("blow_up", blow_up), make_solver("dopri5"), record, lambda row: None)
    assert record.nfe_forward
    assert record.solution_error is record.solve_seconds is None


def test_every_problem_of_the_catalogue_is_a_task():
    tasks = registry.default().tasks
    assert {name for name, task in tasks.items() if task.experiment == "solving"} == set(PROBLEMS)
