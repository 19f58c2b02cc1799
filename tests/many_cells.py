"""A synthetic run of any number of cells, written in seconds: 25 methods in 100 solvers, on up to 40 tasks of three kinds.

It is made to be like real ones: networks with curves of 15 epochs, traces of the first seed, ladders of tolerances and
of equal steps, roads to the gradient, a second label of the baseline, failures of every kind, and cells not run yet.
The same number of cells gives the same bytes.
"""

import itertools
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from test_report_example import SOLVER

from rkbench import store
from rkbench.record import CellStatus

EPOCHS = 15
SOLVERS, MOST_TASKS, FEWEST_TASKS = 100, 40, 4
_METHODS = ("euler", *(f"method{n:02}" for n in range(1, 25)))
_ROADS = ("backprop", "checkpoint", "adjoint", "interpolated", "reversible")
_KINDS = ("training", "solving", "training", "gradient")
_ENDS = sorted(
    word for name, word in vars(CellStatus).items() if name.isupper() and word not in ("ok", "skipped")
)

Cell = dict[str, Any]


def write(folder: Path, cells: int, tasks: int | None = None) -> Path:
    """Write a run of so many planned cells into a folder and return it; one in a hundred has not run yet."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = list(itertools.islice(planned(_tasks(cells) if tasks is None else tasks), cells))
    manifest = {
        "suite": {"name": "many", "title": "Many cells", "baseline": "euler", "solvers": [{"method": _METHODS}]},
        "plan": plan,
        "machine": {"cpu": "A CPU", "host": "mill"},
        "started_at": "2026-03-01T09:00:00Z",
        "threads": 1,
    }  # fmt: skip
    store.write_manifest(folder, manifest)
    chance = random.Random(20_240_601)
    with (folder / store.RECORDS).open("w", encoding="utf-8") as file:
        for number, cell in enumerate(plan):
            if number % 100 != 99:
                file.write(json.dumps(cell | _outcome(cell, number, chance)) + "\n")
    return folder


def planned(count: int) -> Iterator[Cell]:
    """Yield the cells of so many tasks seed by seed, for ever, which spreads however few over all tasks."""
    tasks = [(_KINDS[n % 4], f"{_KINDS[n % 4]}_{n:02}") for n in range(count)]
    for seed in itertools.count():
        for experiment, task in tasks:
            for replica in (0, 1):
                for solver in _solvers(experiment)[: 1 if replica else None]:
                    name = f"{task}/{'/'.join(map(str, solver.values()))}/{seed}/{replica}"
                    point = {"task": task, "experiment": experiment, "seed": seed, "replica": replica}
                    yield {"cell_id": f"{random.Random(name).getrandbits(64):016x}"} | SOLVER | point | solver | {
                        "dataset": "digits8" if experiment == "training" else "",
                        "epochs": EPOCHS if experiment == "training" else None,
                        "suite": "many",
                    }  # fmt: skip


def _tasks(cells: int) -> int:
    return min(MOST_TASKS, max(FEWEST_TASKS, cells // 500))


def _solvers(experiment: str) -> list[Cell]:
    """Return a hundred solvers: every method with four rungs, or four methods with five roads of five depths."""
    if experiment == "gradient":
        roads = itertools.product(_METHODS[:4], _ROADS, (8, 16, 32, 64, 128))
        return [_equal(method, steps) | {"gradient": road} for method, road, steps in roads]
    rungs = itertools.product(enumerate(_METHODS), range(4))
    return [
        _equal(method, 4 * 2**rung) if place < 10 else _adaptive(method, 10.0 ** -(2 + 2 * rung))
        for (place, method), rung in rungs
    ]


def _equal(method: str, steps: int) -> Cell:
    return {"method": method, "steps": steps, "rtol": None, "atol": None, "controller": "fixed"}


def _adaptive(method: str, rtol: float) -> Cell:
    return {"method": method, "steps": None, "rtol": rtol, "atol": rtol, "controller": "pi"}


def _outcome(cell: Cell, number: int, chance: random.Random) -> Cell:
    """Return what became of a cell; of forty of each solver, one failed."""
    found = {
        "status": "ok", "message": "", "host": "mill", "timing_valid": True, "attempt": 1, "cpus": "0", "torch_version": "2.4.0",
        "measured_at": f"2026-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}+00:00",
        "plugin": "rkbench", "plugin_version": "0.1.0", "rkbench_version": "0.1.0", "commit": "0" * 40,
        "wall_seconds": 5 + chance.random(), "peak_memory_mb": 700 + chance.random(), "order": 4, "stages": 4,
        "data_sha256": "c" * 64 if cell["dataset"] else "", "trace": [], "curve": [],
    }  # fmt: skip
    if number % 41 == 40:
        end = _ENDS[number // 41 % len(_ENDS)]
        return found | {"status": end, "message": f"It ended in {end}; take more steps."}
    accepted = cell["steps"] or round(5 * cell["rtol"] ** -0.25)
    work = {"accepted": accepted, "rejected": accepted // 10, "nfe_forward": 4 * accepted}
    noise = math.exp(0.02 * chance.gauss(0, 1))
    made = {"training": _trained, "solving": _solved, "gradient": _differentiated}[cell["experiment"]]
    return found | work | made(cell, accepted, noise, chance)


def _trained(cell: Cell, accepted: int, noise: float, chance: random.Random) -> Cell:
    seconds = 0.02 * accepted * noise
    curve = [
        {
            "epoch": n, "seconds": seconds * (1 + 0.01 * chance.random()), "train_loss": noise * 2.0 / n + 0.01 / accepted,
            "test_loss": noise * 2.2 / n, "test_accuracy": 1 - 0.3 * noise / n, "nfe_forward": 4 * accepted,
            "accepted": accepted, "rejected": accepted // 10,
        }
        for n in range(1, EPOCHS + 1)
    ]  # fmt: skip
    return {
        "train_seconds": math.fsum(point["seconds"] for point in curve), "epoch_seconds": seconds, "eval_seconds": seconds / 9,
        "train_accuracy": 0.99 - 0.01 * noise, "test_accuracy": curve[-1]["test_accuracy"], "train_loss": curve[-1]["train_loss"],
        "test_loss": curve[-1]["test_loss"], "nfe_backward": 0, "vjps": 4 * accepted, "nfe_eval": 4 * accepted,
        "parameters": 4810, "target": 0.96, "seconds_to_target": seconds * 9 if accepted > 8 else None, "curve": curve,
        "trace": _trace(cell, accepted),
    }  # fmt: skip


def _solved(cell: Cell, accepted: int, noise: float, chance: random.Random) -> Cell:
    error = 3.0 * accepted**-4.0 * math.exp(0.1 * chance.gauss(0, 1))
    return {
        "solve_seconds": 1e-4 * accepted * noise,
        "solution_error": error,
        "trace": _trace(cell, accepted),
    }


def _differentiated(cell: Cell, accepted: int, noise: float, chance: random.Random) -> Cell:
    place = _ROADS.index(cell["gradient"])
    kept = (accepted, math.sqrt(accepted), 1, math.log2(accepted), 1)[place]
    return {
        "step_seconds": 3e-4 * accepted * noise * (1 + 0.3 * place), "step_memory_mb": 0.5 + 0.1 * kept,
        "gradient_error": 2.0 * accepted**-4.0 * math.exp(0.1 * chance.gauss(0, 1)), "vjps": 4 * accepted,
        "discrete_gradient_error": 0.0 if place < 2 else 1e-9, "nfe_backward": 4 * accepted * (place > 0),
    }  # fmt: skip


def _trace(cell: Cell, accepted: int) -> list[Cell]:
    if cell["steps"] or cell["seed"]:
        return []
    taken = min(accepted, 500)
    return [{"t": n / taken, "h": 1 / taken, "rejected": int(n % 10 == 0)} for n in range(taken)]
