"""How many cells a suite may expand to: counted before any is made, since a few lists of numbers multiply to billions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path

from rkbench import store
from rkbench.errors import SuiteError
from rkbench.forecast import spoken
from rkbench.plan import Cell, adapts, options_of
from rkbench.registry import Registry
from rkbench.suite import SolverAxis, Suite

MANY = 10_000
"""Cells above which a run is asked for twice."""

MOST = 1_000_000
"""Cells of a plan; a larger one is none that could be run, kept and reported in one piece."""


def at_most(suite: Suite, registry: Registry) -> int:
    """Return how many cells a suite expands to; fewer, where its blocks repeat each other.

    Raises:
        UserError: an unknown method.
    """
    tasks = set(suite.tasks)
    solvers = sum(
        sum(map(axis.covers, tasks)) * _solvers(axis, method, registry)
        for axis in suite.solvers
        for method in axis.method
    )
    return suite.seeds * (solvers + len(tasks) * (suite.seeds > 1))


def _solvers(axis: SolverAxis, method: str, registry: Registry) -> int:
    adaptive = adapts(axis, registry.method(method))
    stepping = _lengths(axis, "rtol", "atol", "controller", "control") if adaptive else len(axis.steps)
    roads = sum(_lengths(axis, *options_of(gradient, adaptive)) for gradient in axis.gradient)
    return stepping * roads * _lengths(axis, "engine", "norm", "compile", "speculative")


def _lengths(axis: SolverAxis, *names: str) -> int:
    return prod(max(1, len(getattr(axis, name))) for name in names)


def refuse_huge(suite: Suite, registry: Registry) -> int:
    """Return how many cells a suite expands to, unless there are more than `MOST`.

    Raises:
        SuiteError: there are.
    """
    count = at_most(suite, registry)
    if count > MOST:
        raise SuiteError(
            f"Suite {suite.name} has {_spoken(count)} cells, and a plan may have {MOST:,}; shorten its lists or seeds, or "
            "split it."
        )
    return count


def _spoken(count: int) -> str:
    return f"{count:,}" if count < 10**12 else "more than a million million"


def question(cells: Sequence[Cell], folder: Path) -> str:
    """Return what to ask before many cells are run: how many are left, and for how long at the pace of the measured ones."""
    done = store.outcomes(folder, {cell.cell_id: cell for cell in cells})
    known = [outcome.seconds for outcome in done.values() if outcome.seconds is not None]
    left = len(cells) - len(done)
    if not known:
        return f"Run {left:,} cells, which may take days? A suite of some of them tells how long."
    return f"Run {left:,} cells, about {spoken(left * sum(known) / len(known))} one at a time?"
