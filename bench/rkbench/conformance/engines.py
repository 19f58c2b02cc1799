"""The promises of an engine: the same numbers as the native one, honestly counted.

An engine whose steps are not those of the tableau says so by ``order(method)``, the order of what it does instead;
then that order is measured.
"""

from __future__ import annotations

from typing import Any

from rkbench.conformance.check import Check, Promise, Verdict, check_all
from rkbench.conformance.observed import tolerance
from rkbench.conformance.samples import counts_by_sample, independent, steps_by_sample
from rkbench.conformance.trials import SPAN, Observed, broken, distance, family, family_state, rms, slope
from rkbench.controller import FIXED
from rkbench.errors import SolverError
from rkbench.integrate.engine import NativeEngine
from rkbench.registry import Registry, default
from rkbench.solution import Solution, Status
from rkbench.solver import Engine, Solver
from rkbench.twin import settle

METHODS = ("euler", "heun2", "rk4", "dopri5")

FASTER = 0.5
"""By how much an observed order may exceed the claimed one, where the leading error does not stand alone yet."""


def _fixed(engine: Engine, method: str, registry: Registry, steps: int = 10) -> tuple[Solution, int] | str:
    """Return a solve of equal steps and the calls counted in f, or why the engine cannot do it."""
    try:
        solver = Solver(method=registry.method(method), controller=FIXED, engine=engine, steps=steps)
    except SolverError as refusal:
        return str(refusal)
    f = Observed(family)
    solution = engine.solve(solver, f, family_state(SPAN[0]), SPAN)
    settle()
    return solution, f.calls


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


def _converges(engine: Any, registry: Registry) -> Verdict:
    """Between 16 and 32 steps of a non-autonomous problem."""
    seen, kept, exact = [], True, family_state(SPAN[1])
    for method in METHODS:
        got = [_fixed(engine, method, registry, steps) for steps in (16, 32)]
        ends = [each[0].y[-1] for each in got if not isinstance(each, str)]
        if len(ends) < len(got):
            seen.append(f"{method} unsupported: {got[0]}")
            continue
        claimed = engine.order(registry.method(method))
        order = slope(*(rms((y - exact) / exact.abs().clamp(min=1)) for y in ends))
        kept &= claimed - tolerance(claimed) <= order <= claimed + FASTER
        seen.append(f"{method} {order:.2f} for {claimed}")
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
    if by_sample := counts_by_sample(engine, registry):
        kept &= by_sample[0] == by_sample[1]
        seen.append("with steps of each sample's own: {} claimed, {} counted".format(*by_sample))
    return kept, "; ".join(seen)


def _reports_failure(engine: Engine, registry: Registry) -> Verdict:
    """A state that becomes NaN is a `Solution` that says so, not an exception and not OK."""
    for method in METHODS:
        try:
            solver = Solver(method=registry.method(method), controller=FIXED, engine=engine, steps=4)
        except SolverError:
            continue
        solution = engine.solve(solver, broken, family_state(0.0), SPAN)
        if solution.status is Status.OK:
            return False, f"{method}: a state of NaN is called {solution.status.value}"
    return True, "a state of NaN is reported as such"


def _supported(engine: Engine, registry: Registry) -> bool:
    return any(not isinstance(_fixed(engine, method, registry), str) for method in METHODS)


def _runs_here(engine: Any) -> bool:
    """Whether it runs anything on this machine; an adapter says by ``unavailable()`` that its library is missing."""
    return getattr(engine, "unavailable", lambda: None)() is None


def _takes_steps_of_its_own(engine: Any) -> bool:
    return _runs_here(engine) and hasattr(engine, "order")


def _steps_by_sample(engine: Any) -> bool:
    return _runs_here(engine) and steps_by_sample(engine)


def _takes_the_steps_of_the_tableau(engine: Any) -> bool:
    return _runs_here(engine) and not hasattr(engine, "order")


ENGINE_PROMISES = (
    Promise("same answer as the native engine", _agrees, _takes_the_steps_of_the_tableau),
    Promise("observed order is the order of its steps", _converges, _takes_steps_of_its_own),
    Promise("NFE claimed is f calls counted", _counts, _runs_here),
    Promise("reports a failure as one", _reports_failure, _runs_here),
    Promise("a sample's steps are its own", independent, _steps_by_sample),
)


def check_engine(engine: Any, registry: Registry | None = None) -> list[Check]:
    """Return one check per promise; the methods it is tried with come from ``registry``.

    An engine that runs nothing here keeps none: the one check then says why it does not.
    """
    if not _runs_here(engine):
        return [Check("runs here", False, engine.unavailable())]
    return check_all(ENGINE_PROMISES, engine, registry or default())
