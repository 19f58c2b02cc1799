"""The promises of an engine: the same numbers as the native one, honestly counted."""

from __future__ import annotations

from typing import Any

import torch

from rkbench.conformance.check import Check, Promise, Verdict, check_all
from rkbench.conformance.trials import SPAN, Observed, distance, family, family_state
from rkbench.controller import FIXED
from rkbench.errors import SolverError
from rkbench.integrate.engine import NativeEngine
from rkbench.registry import Registry, default
from rkbench.solution import Solution, Status
from rkbench.solver import Engine, Solver

METHODS = ("euler", "rk4", "dopri5")


def _fixed(engine: Engine, method: str, registry: Registry) -> tuple[Solution, int] | str:
    """Return a solve of ten equal steps and the calls counted in f, or why the engine cannot do it."""
    try:
        solver = Solver(method=registry.method(method), controller=FIXED, engine=engine, steps=10)
    except SolverError as refusal:
        return str(refusal)
    f = Observed(family)
    return engine.solve(solver, f, family_state(SPAN[0]), SPAN), f.calls


def _agrees(engine: Engine, registry: Registry) -> Verdict:
    seen, kept = [], True
    for method in METHODS:
        got, native = _fixed(engine, method, registry), _fixed(NativeEngine(), method, registry)
        if isinstance(got, str) or isinstance(native, str):
            seen.append(f"{method} unsupported: {got}")
            continue
        off = distance(got[0].y[-1], native[0].y[-1])
        kept &= off < 1e-12
        seen.append(f"{method} {off:.1e} off")
    return kept and _supported(engine, registry), "; ".join(seen)


def _counts(engine: Engine, registry: Registry) -> Verdict:
    seen, kept = [], True
    for method in METHODS:
        got = _fixed(engine, method, registry)
        if isinstance(got, str):
            continue
        solution, calls = got
        kept &= solution.stats.nfe == calls
        seen.append(f"{method}: {solution.stats.nfe} claimed, {calls} counted")
    return kept, "; ".join(seen)


def _reports_failure(engine: Engine, registry: Registry) -> Verdict:
    """A state that becomes NaN is a `Solution` that says so, not an exception and not OK."""
    for method in METHODS:
        try:
            solver = Solver(method=registry.method(method), controller=FIXED, engine=engine, steps=4)
        except SolverError:
            continue
        solution = engine.solve(solver, lambda t, y: y * torch.nan, family_state(0.0), SPAN)
        if solution.status is Status.OK:
            return False, f"{method}: a state of NaN is called {solution.status.value}"
    return True, "a state of NaN is reported as such"


def _supported(engine: Engine, registry: Registry) -> bool:
    return any(not isinstance(_fixed(engine, method, registry), str) for method in METHODS)


def _runs_here(engine: Any) -> bool:
    """Whether it runs anything on this machine; an adapter says by ``unavailable()`` that its library is missing."""
    return getattr(engine, "unavailable", lambda: None)() is None


ENGINE_PROMISES = (
    Promise("same answer as the native engine", _agrees, _runs_here),
    Promise("NFE claimed is f calls counted", _counts, _runs_here),
    Promise("reports a failure as one", _reports_failure, _runs_here),
)


def check_engine(engine: Any, registry: Registry | None = None) -> list[Check]:
    """Return one check per promise; the methods it is tried with come from ``registry``."""
    return check_all(ENGINE_PROMISES, engine, registry or default())
