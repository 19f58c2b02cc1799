"""An initial value problem is solved once under audit, then against the clock; nothing is trained."""

import dataclasses
from functools import partial

import pytest
import torch

import rkbench
from rkbench import NativeEngine, SolveTask, registry, suite
from rkbench.conformance.trials import InBoth
from rkbench.errors import SolveError, SolverError
from rkbench.experiments import solving
from rkbench.experiments.failure import ExperimentFailed
from rkbench.integrate import graphs
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


ORBIT = PROBLEMS["detest_d2"]
LOOSE = {"method": "dopri5", "rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def _no_code_generation(monkeypatch):
    """Trace the same graphs without generating code."""
    graphs._graph.cache_clear()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    yield
    graphs._graph.cache_clear()


def bill(record):
    return record.nfe_forward, record.accepted, record.rejected


@pytest.mark.usefixtures("_no_code_generation")
@pytest.mark.parametrize("options", [LOOSE, {"method": "rk4", "steps": 8}], ids=["adaptive", "equal steps"])
def test_a_compiled_solve_has_the_bill_and_the_answer_of_the_eager_one(options):
    eager, compiled = (measured(ORBIT, make_solver(**options, compile=way)) for way in (False, True))
    assert bill(compiled) == bill(eager)
    assert compiled.solution_error == pytest.approx(eager.solution_error, rel=1e-6)
    assert compiled.compile_seconds > 0
    assert eager.compile_seconds is None


@pytest.mark.usefixtures("_no_code_generation")
def test_a_speculative_solve_is_billed_for_what_is_timed():
    """From the second solve on the remembered steps are tried at once: no first step is chosen, none is rejected."""
    options = {"method": "bosh3", "rtol": 1e-2, "atol": 1e-2, "compile": True}
    plain, speculative = (
        measured(PROBLEMS["detest_a5"], make_solver(**options, speculative=bet)) for bet in (False, True)
    )
    assert plain.rejected > speculative.rejected == 0
    assert speculative.nfe_forward == 1 + 3 * speculative.accepted
    assert plain.nfe_forward == 2 + 3 * (plain.accepted + plain.rejected)


def test_an_f_with_a_twin_is_solved_and_counted_in_jax():
    pytest.importorskip("diffrax")

    def logistic(t, y):
        return y * (1 - y)

    both = InBoth(logistic, logistic)
    problem = dataclasses.replace(PROBLEMS["logistic"], f=both)
    options = {"rtol": 1e-6, "atol": 1e-8, "controller": "i"}
    record = measured(
        problem, make_solver("dopri5_shampine", engine="diffrax", gradient="checkpoint", **options)
    )
    assert record.solution_error < 1e-5
    assert record.nfe_forward == 1 + 6 * (record.accepted + record.rejected)


def test_an_f_without_a_twin_has_no_solve_in_jax_and_a_sentence_why():
    pytest.importorskip("diffrax")
    options = {"rtol": 1e-6, "atol": 1e-8, "controller": "i", "gradient": "checkpoint"}
    with pytest.raises(SolverError, match="no twin in JAX; .* or choose another engine"):
        measured(PROBLEMS["lorenz"], make_solver("dopri5_shampine", engine="diffrax", **options))


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


def test_the_steps_of_an_adaptive_solve_are_kept_with_the_rejections_before_them():
    problem = PROBLEMS["arenstorf"]
    cell = dataclasses.replace(CELL, steps=None, rtol=1e-4)
    record = blank_record(cell)
    solver = make_solver("dopri5", rtol=1e-4, atol=1e-4)
    solving.measure(cell, SolveTask("arenstorf", problem), solver, record, lambda row: None)
    assert len(record.trace) == record.accepted
    assert sum(row["rejected"] for row in record.trace) == record.rejected > 0
    assert record.trace[0]["t"] == problem.t_span[0]
    last = record.trace[-1]
    assert last["t"] + last["h"] == pytest.approx(problem.t_span[1])


def test_equal_steps_leave_no_trace():
    assert measured(PROBLEMS["decay"], make_solver("rk4", steps=4)).trace == []
