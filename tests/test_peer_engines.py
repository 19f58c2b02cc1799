"""Engines around other libraries keep every promise: the same numbers, honest counts, failures that are told."""

import dataclasses
import math
import subprocess
import sys

import pytest
import torch

import rkbench
from rkbench import registry
from rkbench.conformance import check_engine
from rkbench.conformance.trials import SPAN, Observed, distance, family, family_state
from rkbench_solvers.engines import ENGINES, peer

NATIVE = rkbench.NativeEngine()
PEERS = {engine.name: engine for engine in ENGINES}
LIBRARIES = ("torchdiffeq", "torchode", "torchdyn.numerics", "diffrax", "jax")
AS_SHIPPED = "torchdiffeq_as_shipped"


def usable(without=()):
    """One test per engine that runs any f here; the others are skipped with their reason.

    diffrax runs only an f with a twin in JAX: see test_peer_diffrax.py.
    """
    return pytest.mark.parametrize(
        "engine",
        [
            pytest.param(
                engine, marks=pytest.mark.skipif(bool(reason), reason=reason or "runs"), id=engine.name
            )
            for engine in ENGINES
            if engine.name not in ("diffrax", *without)
            for reason in [engine.unavailable()]
        ],
    )


def pair(engine):
    """An adaptive method of order 5 that an engine has."""
    return "dopri5" if engine.name == "scipy" else "dopri5_shampine"


def solve(engine, f, y0, span, **options):
    options = {"method": pair(engine), "controller": "i", "rtol": 1e-6, "atol": 1e-8} | options
    return rkbench.solve(f, y0, span, engine=engine, **options)


def swing(t, y):
    """A fast oscillation of two components."""
    return torch.stack([40 * y[1], -40 * y[0]])


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(e, marks=pytest.mark.skipif(bool(e.unavailable()), reason="absent"), id=e.name)
        for e in ENGINES
    ],
)
def test_every_promise_of_an_engine_is_kept(engine):
    checks = check_engine(engine)
    assert [check for check in checks if not check.passed] == []
    assert checks


@usable()
@pytest.mark.parametrize("span", [(0.0, 0.5), (0.5, 0.0), (0.2, -0.3)])
def test_an_adaptive_solve_ends_where_the_native_one_does_within_tolerance(engine, span):
    f = Observed(family)
    solution = solve(engine, f, family_state(span[0]), span)
    assert solution.status is rkbench.Status.OK
    assert distance(solution.y[-1], family_state(span[1])) < 1e-4
    assert solution.stats.nfe == f.calls
    assert solution.stats.accepted > 1
    native = solve(NATIVE, family, family_state(span[0]), span, method=pair(engine)).stats.nfe
    assert 0.5 < solution.stats.nfe / native < 2


@usable(without=[AS_SHIPPED])
def test_f_is_called_within_the_interval_only(engine):
    f = Observed(family)
    solve(engine, f, family_state(SPAN[0]), SPAN)
    assert SPAN[0] <= min(f.times) <= max(f.times) <= SPAN[1]


@pytest.mark.skipif(bool(PEERS[AS_SHIPPED].unavailable()), reason="torchdiffeq is not installed")
def test_as_shipped_torchdiffeq_steps_past_the_end():
    f = Observed(family)
    solution = solve(PEERS[AS_SHIPPED], f, family_state(SPAN[0]), SPAN)
    assert max(f.times) > SPAN[1]
    assert sum(solution.steps) > SPAN[1] - SPAN[0]


@usable()
def test_output_times_are_those_asked_for(engine):
    times = (0.1, 0.25, 0.25, 0.5)
    solution = solve(engine, family, family_state(0.0), SPAN, t_eval=times)
    assert solution.t == times
    for t, y in zip(times, solution.y, strict=True):
        assert distance(y, family_state(t)) < 1e-3
    assert torch.equal(solution.y[1], solution.y[2])


@usable()
def test_a_state_of_any_shape_passes(engine):
    for shape in [(), (3,), (2, 3, 4)]:
        solution = solve(engine, lambda t, y: -y, torch.ones(shape, dtype=torch.float64), (0.0, 1.0))
        assert solution.y.shape == (2, *shape)
        torch.testing.assert_close(
            solution.y[-1], torch.full(shape, math.exp(-1)).double(), rtol=1e-4, atol=0
        )


@usable()
def test_single_precision_stays_single(engine):
    f = Observed(family)
    y = solve(engine, f, family_state(0.0).float(), SPAN).y
    assert (y.dtype, f.dtypes) == (torch.float32, {torch.float32})


@usable()
def test_an_empty_interval_is_not_handed_over(engine):
    f = Observed(family)
    solution = solve(engine, f, family_state(0.3), (0.3, 0.3))
    assert (solution.status, f.calls) == (rkbench.Status.OK, 0)
    assert torch.equal(solution.y, torch.stack([family_state(0.3)] * 2))


@usable()
@pytest.mark.parametrize("times", [(0.2, 0.1), (0.0, 0.7), (0.0, math.nan)])
def test_times_that_make_no_sense_are_refused(engine, times):
    with pytest.raises(rkbench.SolverError, match="sort, cut or mend t_eval"):
        solve(engine, family, family_state(0.0), SPAN, t_eval=times)


# Failures.


@usable()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("start", [0.0, 1.0])
def test_nan_in_f_ends_the_solve(engine, dtype, start):
    f = Observed(lambda t, y: torch.where(t > start + 0.5, y * torch.nan, -y))
    solution = solve(engine, f, torch.ones(2, 3, dtype=dtype), (start, start + 1))
    assert solution.status is rkbench.Status.NON_FINITE
    assert solution.stats.nfe == f.calls
    assert start <= solution.t_reached <= start + 1
    assert solution.y[-1].isnan().all()


@usable()
def test_nan_from_the_start_ends_the_solve(engine):
    solution = solve(engine, lambda t, y: y * torch.nan, torch.ones(2, 3), (0.0, 1.0))
    assert solution.status is rkbench.Status.NON_FINITE


@usable()
def test_a_singularity_ends_the_solve(engine):
    solution = solve(engine, lambda t, y: y * y, torch.ones(2), (0.0, 2.0), max_steps=1000)
    assert solution.status is not rkbench.Status.OK


@usable()
@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
def test_the_step_budget_is_the_solves(engine, span):
    y0 = torch.ones(2, 3, dtype=torch.float64)
    f = Observed(swing)
    needed = solve(engine, f, y0, span).stats
    tried = needed.accepted + needed.rejected
    assert solve(engine, swing, y0, span, max_steps=tried).status is rkbench.Status.OK
    assert solve(engine, swing, y0, span, max_steps=tried - 1).status is rkbench.Status.MAX_STEPS


@usable()
def test_an_error_of_f_is_the_users(engine):
    def f(t, y):
        raise AssertionError("a claim of f itself")

    with pytest.raises(AssertionError, match="a claim of f itself"), torch.no_grad():
        solve(engine, f, torch.ones(2), (0.0, 1.0))


# Gradients.


EQUAL = {"steps": 4, "method": "euler", "controller": "fixed"}


@usable(without=["scipy"])
@pytest.mark.parametrize(
    ("options", "near"), [(EQUAL, 1e-12), ({"rtol": 1e-8}, 1e-3)], ids=["equal", "adaptive"]
)
def test_gradients_are_those_of_the_native_engine(engine, options, near):
    def gradients(which):
        weight = torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(4, 4).requires_grad_()
        y0 = family_state(0.0)[:, :3].clone().requires_grad_()
        y = solve(which, lambda t, y: torch.tanh(weight @ y + t), y0, (0.0, 1.0), **options).y[-1]
        return torch.autograd.grad(y.square().sum(), (weight, y0))

    options = {"method": pair(engine)} | options
    for theirs, ours in zip(gradients(engine), gradients(NATIVE), strict=True):
        assert (theirs - ours).norm() < near * ours.norm()


@pytest.mark.parametrize("where", ["y0", "f"])
def test_scipy_refuses_a_gradient(where):
    weight = torch.ones(1, requires_grad=where == "f")
    y0 = torch.ones(2, requires_grad=where == "y0")
    with pytest.raises(rkbench.SolverError, match=r"solve under torch\.no_grad\(\)"):
        solve(PEERS["scipy"], lambda t, y: weight * y.detach(), y0, (0.0, 1.0))
    with torch.no_grad():
        f = Observed(lambda t, y: -weight * y)
        assert solve(PEERS["scipy"], f, y0.detach(), (0.0, 1.0)).status is rkbench.Status.OK


@pytest.mark.parametrize("method", ["bosh3", "dopri5", "dop853"])
def test_the_native_engine_takes_the_steps_of_scipy(method):
    ours, theirs = (
        solve(which, family, family_state(0.0), SPAN, method=method) for which in (NATIVE, PEERS["scipy"])
    )
    assert (ours.stats.accepted, ours.stats.rejected) == (theirs.stats.accepted, theirs.stats.rejected)
    assert distance(ours.y[-1], theirs.y[-1]) < 1e-9


# What an engine says of itself.


def test_engines_are_listed_without_importing_their_libraries():
    report = (
        "import sys; from rkbench_solvers.engines import ENGINES; [engine.unavailable() for engine in ENGINES]; "
        f"print(*(name for name in {('torch', 'scipy', *LIBRARIES)} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.name != "scipy"])
def test_a_library_that_is_not_installed_is_told_in_one_sentence(engine, monkeypatch):
    monkeypatch.setattr(peer, "find_spec", lambda name: None)
    with pytest.raises(rkbench.SolverError) as refusal:
        rkbench.solve(family, family_state(0.0), SPAN, method="euler", steps=3, engine=engine)
    assert str(refusal.value) == (
        f"The engine {engine.name} cannot run euler: {engine.library} is not installed; pip install 'rkbench[peers]'."
    )


@usable()
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"controller": "pi"}, "its own I controller and not pi; use controller='i'"),
        ({"norm": "worst_sample"}, "use norm='rms'"),
        ({"compile": True}, "drop compile=True"),
        ({"gradient": "binomial"}, "its gradient is backprop.*, and not binomial; use gradient='backprop'"),
        (
            {"method": "ssprk33", "steps": 3, "controller": "fixed"},
            "it has only .*; change the method or the engine",
        ),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_what_cannot_be_done_is_refused_with_the_reason(engine, options, reason):
    with pytest.raises(rkbench.SolverError, match=f"The engine {engine.name} cannot run .*{reason}"):
        solve(engine, family, family_state(0.0), SPAN, **options)


def test_a_known_defect_is_the_reason_not_to_run_a_method():
    engine = PEERS["torchdyn"]
    solver = rkbench.Solver(registry.default().method("rk4"), rkbench.FIXED, rkbench.NativeEngine(), steps=3)
    if engine.unavailable():
        pytest.skip(engine.unavailable())
    assert "order 1 where f depends on t" in engine.unsupported(dataclasses.replace(solver))
