"""One solve is differentiated: its bill counted, its gradient held against better ones, its memory and time taken."""

import dataclasses
import functools
from typing import Any

import pytest
import torch

from rkbench import GradientTask, NativeEngine, measure, registry, suite
from rkbench.errors import SolveError
from rkbench.experiments import gradient
from rkbench.experiments.failure import ExperimentFailed
from rkbench.interface import make_solver
from rkbench.networks.tanh import TanhField
from rkbench.plan import blank_record, expand
from rkbench.solver import GRADIENTS
from rkbench.tasks.gradients import TANH_GRADIENT
from rkbench.train import TrainingError

SMALL = dataclasses.replace(TANH_GRADIENT, field=lambda: TanhField(5), shape=(3, 5), t_span=(0.0, 1.0))
[CELL] = expand(
    suite.select(suite.load("quick"), tasks=["tanh_gradient"], methods=["rk4"], seeds=1), registry.default()
)


@pytest.fixture(autouse=True)
def _double(monkeypatch):
    """As a cell of the suite has it, for this file alone; timed once, for these claims are not about time."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(measure, "MOST", 1)
    monkeypatch.setattr(measure, "LEAST", 1)
    yield
    torch.set_default_dtype(before)


def measured(task=SMALL, **options) -> Any:
    torch.manual_seed(0)
    record = blank_record(CELL)
    gradient.measure(CELL, task, make_solver(**options), record, lambda row: None)
    return record


def test_a_cell_of_the_task_is_told_as_what_it_is():
    assert (CELL.experiment, CELL.epochs, CELL.dataset) == ("gradient", None, "")


@pytest.mark.parametrize(
    ("road", "nfe_backward"), [("backprop", 0), ("checkpoint", 20), ("adjoint", 20), ("interpolated", 20)]
)
def test_the_bill_is_counted_both_ways(road, nfe_backward):
    record = measured(method="rk4", steps=5, gradient=road)
    assert (record.nfe_forward, record.nfe_backward) == (20 + (road == "interpolated"), nfe_backward)
    assert (record.vjps, record.accepted, record.rejected) == (20, 5, 0)


@pytest.mark.parametrize("road", GRADIENTS)
def test_the_error_falls_with_the_steps_as_the_order_says(road):
    coarse, fine = (measured(method="rk4", steps=n, gradient=road).gradient_error for n in (4, 8))
    assert 15 < coarse / fine < 18


def test_of_the_exact_roads_nothing_but_round_off_differs_from_backprop():
    for road in ("backprop", "checkpoint", "segments", "binomial"):
        off = measured(method="dopri5", rtol=1e-3, atol=1e-3, gradient=road).discrete_gradient_error
        assert off < 1e-14


def test_the_adjoint_differs_from_backprop_as_much_as_its_tolerance_lets_it():
    loose, tight = (
        measured(method="dopri5", rtol=1e-6, atol=1e-6, gradient="adjoint", adjoint_rtol=tol, adjoint_atol=tol)
        .discrete_gradient_error
        for tol in (1e-3, 1e-6)
    )  # fmt: skip
    assert loose > 1e-6
    assert tight < loose / 100


def test_an_engine_without_backprop_is_not_held_against_it():
    class Continuous(NativeEngine):
        name = "continuous"

        def unsupported(self, solver):
            return None if solver.gradient == "adjoint" else "it has one road; use gradient='adjoint'."

    record = measured(method="rk4", steps=5, engine=Continuous(), gradient="adjoint")
    assert record.discrete_gradient_error is None
    assert record.gradient_error


def test_what_backprop_keeps_grows_with_the_steps_and_what_the_adjoint_keeps_does_not():
    def mib(road, steps):
        return measured(method="rk4", steps=steps, gradient=road).step_memory_mb

    assert mib("backprop", 40) > 3 * mib("backprop", 10)
    assert mib("adjoint", 40) < 1.1 * mib("adjoint", 10)


def test_a_compiled_solve_is_timed_and_counted_but_its_memory_is_out_of_sight(monkeypatch):
    quick = functools.partial(
        torch.compile, backend="aot_eager"
    )  # graphs all the same, without a C++ compiler
    monkeypatch.setattr(torch, "compile", quick)
    record = measured(method="rk4", steps=5, compile=True)
    assert (record.nfe_forward, record.vjps) == (20, 20)
    assert record.compile_seconds
    assert record.step_seconds
    assert record.step_memory_mb is None
    assert record.discrete_gradient_error < 1e-13


def test_a_task_without_a_reference_has_no_error_against_it():
    record = measured(dataclasses.replace(SMALL, reference_tol=None), method="rk4", steps=5)
    assert record.gradient_error is None
    assert record.discrete_gradient_error == 0


def test_single_precision_is_measured_against_double():
    torch.set_default_dtype(torch.float32)
    error = measured(method="dop853", rtol=1e-6, atol=1e-6).gradient_error
    assert 1e-9 < error < 1e-4


class Unused(TanhField):
    """With a parameter that nothing depends on."""

    def __init__(self):
        super().__init__(5)
        self.unused = torch.nn.Parameter(torch.ones(3))


@pytest.mark.parametrize("road", ["backprop", "adjoint"])
def test_an_unused_parameter_does_no_harm(road):
    assert measured(
        dataclasses.replace(SMALL, field=Unused), method="rk4", steps=5, gradient=road
    ).gradient_error


class Field(torch.nn.Module):
    """y' = w g(y)."""

    def __init__(self, g):
        super().__init__()
        self.g, self.w = g, torch.nn.Parameter(torch.ones(()))

    def forward(self, t, y):
        return self.w * self.g(y)


def test_a_solve_that_fails_says_so():
    blow_up = GradientTask("blow_up", lambda: Field(lambda y: 1e3 + y * y), (3, 5))
    with pytest.raises(SolveError):
        measured(blow_up, method="dopri5", rtol=1e-3)


def test_a_gradient_that_is_not_finite_is_no_result():
    overflow = GradientTask("overflow", lambda: Field(lambda y: y.exp().exp().exp()), (3, 5))
    with pytest.raises(ExperimentFailed, match="NaN or infinite; take more steps") as caught:
        measured(overflow, method="rk4", steps=2)
    assert caught.value.status == "non_finite"


class Liar(NativeEngine):
    """One evaluation more than it claims."""

    name = "liar"

    def solve(self, solver, f, y0, t_span, t_eval=None):
        f(torch.tensor(0.0), y0)
        return super().solve(solver, f, y0, t_span, t_eval)


def test_an_engine_that_miscounts_has_no_result():
    with pytest.raises(TrainingError, match="claims 20 evaluations of f where the harness counted 21"):
        measured(method="rk4", steps=5, engine=Liar())
