"""A suite expanded: cells, which are inert names and numbers, each with a content-hashed identity."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from rkbench import __version__, machine
from rkbench.errors import SuiteError
from rkbench.identity import identity
from rkbench.interface import make_solver
from rkbench.record import COLUMNS, Record
from rkbench.registry import Registry
from rkbench.solver import CONTINUOUS, SPARING, Solver
from rkbench.suite import SolverAxis, Suite
from rkbench.tableau import ButcherTableau

MIXED = "bf16_mixed"
"""The dtype in which f is in mixed precision."""

RTOL = (1e-3,)
"""Of an adaptive solver whose suite names none, as in `rkbench.solve`."""

ROADS = {
    **dict.fromkeys(CONTINUOUS, ("adjoint_rtol", "adjoint_atol", "seminorm")),
    **dict.fromkeys(SPARING, ("checkpoints",)),
}
"""Gradient -> its own options; those of a solve back in time only where it adapts its steps."""

NO_SOLVER = {
    **dict.fromkeys(("method", "controller", "engine", "gradient", "norm", "control"), ""),
    **dict.fromkeys(("steps", "rtol", "atol", "adjoint_rtol", "adjoint_atol", "seminorm", "checkpoints")),
    **dict.fromkeys(("compiled", "speculative"), False),
}
"""The solver of a cell whose network solves nothing."""

OPTIONS = ("rtol", "atol", "adjoint_rtol", "adjoint_atol", "seminorm", "checkpoints")
"""Columns of a cell that a solver is told only where they are not empty."""


@dataclass(frozen=True)
class Cell:
    """One point of the matrix: what the record repeats, and what else decides the outcome.

    ``unavailable`` says why its engine cannot run here, so that the cell is skipped; empty when it can.
    ``engine_version`` is that of the library behind the engine; empty where there is none.
    """

    cell_id: str
    suite: str
    task: str
    experiment: str
    dataset: str
    method: str
    controller: str
    engine: str
    gradient: str
    steps: int | None
    rtol: float | None
    atol: float | None
    adjoint_rtol: float | None
    adjoint_atol: float | None
    seminorm: bool | None
    checkpoints: int | None
    norm: str
    control: str
    dtype: str
    device: str
    compiled: bool
    speculative: bool
    threads: int
    seed: int
    replica: int
    epochs: int | None
    method_digest: str
    plugin: str
    plugin_version: str
    unavailable: str = ""
    engine_version: str = ""

    def solver(self, registry: Registry) -> Solver | None:
        """Return the solver that this cell names; None for a network that solves nothing."""
        if not self.method:
            return None
        given = {name: getattr(self, name) for name in OPTIONS}
        return make_solver(
            self.method,
            steps=self.steps,
            controller=self.controller,
            engine=self.engine,
            gradient=self.gradient,
            norm=self.norm,
            control=self.control,
            compile=self.compiled,
            speculative=self.speculative,
            plugins=registry,
            **{name: value for name, value in given.items() if value is not None},
        )


def blank_record(cell: Cell) -> Record:
    """Return the record of a cell before anything is measured: what was to be run, and where."""
    shared = {name: value for name, value in vars(cell).items() if name in COLUMNS}
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

    A block holds every solver once, so slow drifts of the machine spread over all of them; and the baseline's once more,
    under another label, where there is more than one seed: what differs between the two is what the run cannot tell.
    A task that solves nothing has one cell per seed.

    Raises:
        UserError: an unknown name, or options of a solver that do not fit together.
    """
    points = [(axis, list(_points(axis, registry))) for axis in suite.solvers]
    facts = Facts(registry)
    cells: list[Cell] = []
    for task, seed in itertools.product(dict.fromkeys(suite.tasks), range(suite.seeds)):
        solvers = dict.fromkeys(point for axis, own in points if axis.covers(task) for point in own)
        block = _block(suite, facts, task, seed, list(solvers))
        if not seed:  # the others are of the same solvers
            for cell in block:
                _refuse(cell, registry)
        random.Random(f"{suite.name} {task} {seed}").shuffle(block)
        cells += block
    methods = {cell.method for cell in cells if cell.method}
    if methods and suite.baseline not in methods:
        raise SuiteError(
            f"The baseline {suite.baseline!r} is not among the solvers; choose one of them with --baseline."
        )
    return cells


class Facts:
    """What a registry knows of names, asked once for each: a plan asks the same for every cell."""

    def __init__(self, registry: Registry) -> None:
        self.task = cache(registry.task)
        self.method = registry.method
        self.owner = cache(registry.owner)
        self.unavailable = cache(partial(unavailable, registry))
        self.engine_version = cache(lambda name: engine_version(registry.engine(name)))
        self.fingerprint = cache(lambda task: self.task(task).fingerprint())


def _block(
    suite: Suite, facts: Facts, task: str, seed: int, solvers: Sequence[tuple[tuple[str, Any], ...]]
) -> list[Cell]:
    if not facts.task(task).solves:
        return [_cell(suite, facts, task, seed, NO_SOLVER, 0)]
    if not solvers:
        raise SuiteError(f"Suite {suite.name} has no [[solvers]] block for {task}; add one.")
    block = [_cell(suite, facts, task, seed, dict(solver), 0) for solver in solvers]
    if suite.seeds > 1:
        block += [_cell(suite, facts, task, seed, solver, 1) for solver in _baseline(suite, solvers)]
    return block


def _baseline(suite: Suite, solvers: Sequence[tuple[tuple[str, Any], ...]]) -> list[dict[str, Any]]:
    """Return the solver that others are compared with: of the baseline's method, plainly run if any is; none without."""
    found = [dict(solver) for solver in solvers if dict(solver)["method"] == suite.baseline]
    plain = {"engine": "rkbench", "gradient": "backprop", "compiled": False}
    found.sort(key=lambda solver: not all(solver[name] == value for name, value in plain.items()))  # stable
    return found[:1]


def _refuse(cell: Cell, registry: Registry) -> None:
    _refuse_samples(cell)
    _refuse_mixed(cell)
    if not cell.unavailable:
        cell.solver(registry)


def _refuse_samples(cell: Cell) -> None:
    if cell.experiment == "solving" and cell.control != "batch":
        raise SuiteError(
            f"{cell.task} is one initial value problem, not a batch of samples; give control = 'batch' with it."
        )


def _refuse_mixed(cell: Cell) -> None:
    if cell.experiment == "solving" and cell.dtype == MIXED:
        raise SuiteError(
            f"{cell.task} is an initial value problem, not a network; give dtype float32 or float64."
        )


def _points(axis: SolverAxis, registry: Registry) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Return every solver of a block: adaptive where the method and the block allow it, else on equal steps."""
    _refuse_unused(axis)
    for method in axis.method:
        adaptive = adapts(axis, registry.method(method))
        if not adaptive and not axis.steps:
            raise SuiteError(
                f"{method} has no embedded solution to adapt its steps with; give --steps 10, say."
            )
        stepping = _adapting(axis) if adaptive else _equal_steps(axis)
        roads = [road for gradient in axis.gradient for road in _roads(axis, gradient, adaptive)]
        for steps, road, engine, norm, compiling in itertools.product(
            stepping, roads, axis.engine, axis.norm, _compiling(axis, adaptive)
        ):
            point = {"method": method} | steps | road | {"engine": engine, "norm": norm} | compiling
            yield tuple(point.items())


def adapts(axis: SolverAxis, method: ButcherTableau) -> bool:
    """Return whether a method of a block adapts its steps: where it can, and the block allows it."""
    return method.adaptive and (bool(axis.rtol or axis.atol) or not axis.steps)


def _compiling(axis: SolverAxis, adaptive: bool) -> list[dict[str, Any]]:
    """Return every way to compile; only compiled solves that adapt their steps can speculate on them."""
    if True in axis.speculative and True not in axis.compile:
        raise SuiteError(
            "speculative = [true] takes remembered steps as one graph; add compile = [true] to it."
        )
    ways = itertools.product(axis.compile, axis.speculative)
    possible = dict.fromkeys((compiled, bet and compiled and adaptive) for compiled, bet in ways)
    return [{"compiled": compiled, "speculative": bet} for compiled, bet in possible]


def _refuse_unused(axis: SolverAxis) -> None:
    """Refuse options of gradients that the block does not name; where one does, the others go without them."""
    used = {name for gradient in axis.gradient for name in ROADS.get(gradient, ())}
    for name in dict.fromkeys(itertools.chain.from_iterable(ROADS.values())):
        if getattr(axis, name) and name not in used:
            takers = ", ".join(gradient for gradient, names in ROADS.items() if name in names)
            raise SuiteError(f"{name} is an option of the gradients {takers}; name one of them or drop it.")


def _adapting(axis: SolverAxis) -> list[dict[str, Any]]:
    """Return every way to adapt the steps; atol follows rtol unless it is given."""
    ways = itertools.product(
        axis.rtol or RTOL, axis.atol or (None,), axis.controller or ("pi",), axis.control
    )
    return [
        {
            "steps": None,
            "rtol": rtol,
            "atol": rtol if atol is None else atol,
            "controller": by,
            "control": control,
        }
        for rtol, atol, by, control in ways
    ]


def _equal_steps(axis: SolverAxis) -> list[dict[str, Any]]:
    """Return every number of equal steps, which the samples of a batch share whatever the control."""
    shared = {"rtol": None, "atol": None, "controller": "fixed", "control": "batch"}
    return [{"steps": steps} | shared for steps in axis.steps]


def options_of(gradient: str, adaptive: bool) -> Sequence[str]:
    """Return the own options of a gradient."""
    return () if gradient in CONTINUOUS and not adaptive else ROADS.get(gradient, ())


def _roads(axis: SolverAxis, gradient: str, adaptive: bool) -> list[dict[str, Any]]:
    """Return a gradient with every combination of its own options, the options of others being empty."""
    empty = dict.fromkeys(itertools.chain.from_iterable(ROADS.values()))
    names = options_of(gradient, adaptive)
    default = {"seminorm": (True,)}
    options = [getattr(axis, name) or default.get(name, (None,)) for name in names]
    return [
        {"gradient": gradient} | empty | dict(zip(names, values, strict=True))
        for values in itertools.product(*options)
    ]


def _cell(
    suite: Suite, facts: Facts, task_name: str, seed: int, solver: dict[str, Any], replica: int
) -> Cell:
    task = facts.task(task_name)
    method, engine = solver["method"], solver["engine"]
    owner = facts.owner("method", method) if method else facts.owner("task", task.name)
    cell = Cell(
        cell_id="",
        suite=suite.name,
        task=task.name,
        experiment=task.experiment,
        dataset=task.dataset,
        dtype=suite.dtype,
        device=suite.device,
        threads=suite.threads,
        seed=seed,
        replica=replica,
        epochs=task.epochs and (suite.epochs or task.epochs),
        method_digest=facts.method(method).digest if method else "",
        plugin=owner.path or owner.distribution,
        plugin_version=owner.version,
        unavailable=facts.unavailable(engine) if engine else "",
        engine_version=facts.engine_version(engine) if engine else "",
        **solver,
    )
    code = {
        kind: facts.owner(kind, name).digest
        for kind, name in (("task", task.name), ("controller", cell.controller), ("engine", cell.engine))
        if name
    }
    return replace(cell, cell_id=identity(cell, facts.fingerprint(task_name) | {"code": code}))


def unavailable(registry: Registry, engine: str) -> str:
    """Return why an engine can run nothing here, such as a library that is not installed; empty when it can."""
    return getattr(registry.engine(engine), "unavailable", lambda: None)() or ""


def engine_version(engine: Any) -> str:
    """Return the version of the library behind an engine; empty when it names none, or it is not installed."""
    return str(getattr(engine, "version", None) or "")
