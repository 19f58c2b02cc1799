"""A suite expanded: cells, which are inert names and numbers, each with a content-hashed identity."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from rkbench import __version__, machine
from rkbench.errors import SuiteError
from rkbench.interface import make_solver
from rkbench.record import COLUMNS, Record
from rkbench.registry import Registry
from rkbench.solver import Solver
from rkbench.suite import SolverAxis, Suite

RTOL = (1e-3,)
"""Of an adaptive solver whose suite names none, as in `rkbench.solve`."""


@dataclass(frozen=True)
class Cell:
    """One point of the matrix: what the record repeats, and what else decides the outcome."""

    cell_id: str
    suite: str
    task: str
    dataset: str
    method: str
    controller: str
    engine: str
    gradient: str
    steps: int | None
    rtol: float | None
    atol: float | None
    norm: str
    control: str
    dtype: str
    device: str
    compiled: bool
    threads: int
    seed: int
    epochs: int
    method_digest: str
    plugin: str
    plugin_version: str

    def solver(self, registry: Registry) -> Solver:
        """Return the solver that this cell names."""
        tolerances = {} if self.rtol is None else {"rtol": self.rtol, "atol": self.atol}
        return make_solver(
            self.method,
            steps=self.steps,
            controller=self.controller,
            engine=self.engine,
            gradient=self.gradient,
            norm=self.norm,
            control=self.control,
            compile=self.compiled,
            plugins=registry,
            **tolerances,
        )


def blank_record(cell: Cell) -> Record:
    """Return the record of a cell before anything is measured: what was to be run, and where."""
    shared = {name: value for name, value in asdict(cell).items() if name in COLUMNS}
    return Record(
        **shared,
        host=machine.host(),
        commit=machine.commit(),
        rkbench_version=__version__,
        torch_version=machine.package_version("torch"),
    )


def now() -> str:
    """Return the time, UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def expand(suite: Suite, registry: Registry) -> list[Cell]:
    """Return the cells in the order they are to run: blocks of one task and seed, each shuffled by its seed.

    A block holds every solver once, so slow drifts of the machine spread over all of them.

    Raises:
        UserError: an unknown name, or options of a solver that do not fit together.
    """
    solvers = list(dict.fromkeys(point for axis in suite.solvers for point in _points(axis, registry)))
    cells: list[Cell] = []
    for task, seed in itertools.product(dict.fromkeys(suite.tasks), range(suite.seeds)):
        block = [_cell(suite, registry, task, seed, dict(solver)) for solver in solvers]
        random.Random(f"{suite.name} {task} {seed}").shuffle(block)
        cells += block
    for cell in cells:
        cell.solver(registry)
    if suite.baseline not in {cell.method for cell in cells}:
        raise SuiteError(
            f"The baseline {suite.baseline!r} is not among the solvers; choose one of them with --baseline."
        )
    return cells


def _points(axis: SolverAxis, registry: Registry) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Return every solver of a block: adaptive where the method and the block allow it, else on equal steps."""
    for method in axis.method:
        tableau = registry.method(method)
        adaptive = tableau.adaptive and (bool(axis.rtol or axis.atol) or not axis.steps)
        if adaptive:
            pairs = _tolerances(axis)
            shared = {"steps": (None,), "tolerances": pairs, "controller": axis.controller or ("pi",)}
        elif axis.steps:
            shared = {"steps": axis.steps, "tolerances": ((None, None),), "controller": ("fixed",)}
        else:
            raise SuiteError(
                f"{method} has no embedded solution to adapt its steps with; give --steps 10, say."
            )
        axes = {
            "method": (method,),
            **shared,
            "engine": axis.engine,
            "gradient": axis.gradient,
            "norm": axis.norm,
        }
        for values in itertools.product(*axes.values()):
            point = dict(zip(axes, values, strict=True))
            point["rtol"], point["atol"] = point.pop("tolerances")
            yield tuple(point.items())


def _tolerances(axis: SolverAxis) -> list[tuple[float, float]]:
    """Return pairs of rtol and atol; atol follows rtol unless it is given."""
    rtol = axis.rtol or RTOL
    return [(r, a) for r in rtol for a in axis.atol] if axis.atol else [(r, r) for r in rtol]


def _cell(suite: Suite, registry: Registry, task_name: str, seed: int, solver: dict[str, Any]) -> Cell:
    task = registry.task(task_name)
    owner = registry.owner("method", solver["method"])
    cell = Cell(
        cell_id="",
        suite=suite.name,
        task=task.name,
        dataset=task.dataset,
        control="batch",
        dtype=suite.dtype,
        device=suite.device,
        compiled=False,
        threads=suite.threads,
        seed=seed,
        epochs=suite.epochs or task.recipe.epochs,
        method_digest=registry.method(solver["method"]).digest,
        plugin=owner.path or owner.distribution,
        plugin_version=owner.version,
        **solver,
    )
    code = {
        kind: registry.owner(kind, name).digest
        for kind, name in (("task", task.name), ("controller", cell.controller), ("engine", cell.engine))
    }
    inputs = {"recipe": asdict(task.recipe), "target": task.target, "code": code}
    return replace(cell, cell_id=identity(cell, inputs))


def identity(cell: Cell, more: dict[str, Any]) -> str:
    """Return the hash of everything that decides the outcome; the suite's name and a plugin's path do not.

    A method is data: its coefficients. Task, controller and engine are code: the plugin's file, or its version.
    """
    inputs = asdict(cell) | more | {"rkbench": __version__, "torch": machine.package_version("torch")}
    for key in ("cell_id", "suite", "plugin"):
        del inputs[key]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
