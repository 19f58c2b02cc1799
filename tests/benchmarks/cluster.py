"""What a cluster gains and costs: ``python tests/benchmarks/cluster.py 200 --workers 2``.

The same short cells are measured one after another on this machine and side by side by workers of ``--dask local:N``; once
cells that compute, which share this machine's cores with each other, and once cells that wait, as cells do that compute on
cores of their own elsewhere. Both ways every cell is a process of its own and its record on the disk; none is timed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rkbench import cluster, lanes, machine, registry, runner, store, suite
from rkbench.cluster.connect import connected
from rkbench.plan import Cell, blank_record, expand
from rkbench.record import CURVE_COLUMNS, Record

PLUGIN = """
import math, time
import torch
from rkbench import InitialValueProblem, SolveTask, hookimpl

def waits():
    time.sleep({seconds})

def computes():
    end = time.perf_counter() + {seconds}
    y = torch.ones(64, 64)
    while time.perf_counter() < end:
        y = torch.tanh(y @ y)

def task(action):
    to_do = [action]

    def f(t, y):
        while to_do:
            to_do.pop()()
        return -y
    problem = InitialValueProblem(action.__name__, f, (1.0,), (0.0, 1.0), (math.exp(-1),), "by hand")
    return SolveTask(action.__name__, problem)

@hookimpl
def rkbench_tasks():
    return [task(waits), task(computes)]
"""

Walk = Callable[[runner.Job, Path, "Clock"], None]


class Taken(NamedTuple):
    """What a run took.

    Attributes:
        start: seconds until the first cell began: workers started and looked at, the data looked at.
        cells: seconds from then to the last record.
        inside: seconds that the cells took themselves, in the mean.
        number: of cells.
    """

    start: float
    cells: float
    inside: float
    number: int

    def overhead(self, at_a_time: int) -> float:
        """Return the milliseconds of a slot that a cell costs besides itself."""
        return 1000 * (self.cells * at_a_time / self.number - self.inside)


class Clock:
    """A watcher that takes the time of the first cell's beginning."""

    def __init__(self) -> None:
        self.made, self.begun = time.perf_counter(), 0.0

    def started(self, cell: Cell) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.begun = self.begun or time.perf_counter()

    def planned(self, todo: Sequence[Cell], done: int) -> None:
        """See `rkbench.lanes.Watcher`."""

    def epoch(self, cell: Cell, row: dict[str, Any]) -> None:
        """See `rkbench.lanes.Watcher`."""

    def ended(self, cell: Cell, record: Record, again: bool) -> None:
        """See `rkbench.lanes.Watcher`."""

    def note(self, sentence: str) -> None:
        """See `rkbench.lanes.Watcher`."""
        print("note:", sentence)


def one_after_another(job: runner.Job, folder: Path, clock: Clock) -> None:
    """Measure as `rkbench run` does, but for the pulses between cells whose times count."""

    def walk(cells: Sequence[Cell], terms: lanes.Terms, watcher: lanes.Watcher) -> Iterator[lanes.Ended]:
        yield from lanes.side_by_side(cells, terms, watcher, 1)

    before, lanes.one_by_one = lanes.one_by_one, walk
    try:
        runner.run(job, folder, clock)
    finally:
        lanes.one_by_one = before


def on_workers(count: int) -> Walk:
    """Return what measures as ``--dask local:N`` does."""

    def walk(job: runner.Job, folder: Path, clock: Clock) -> None:
        plugins = registry.load(job.files)
        with cluster.opened(f"local:{count}", None, job.cells, job.files, plugins, clock.note) as workers:
            runner.run(job, folder, clock, cluster=workers)

    return walk


def measure(walk: Walk, task: str, cells: int, plugin: Path) -> Taken:
    """Return what so many cells of a task take; all must end well."""
    plugins = registry.load([plugin])
    chosen = suite.select(
        suite.load("quick"), tasks=[task], methods=["euler"], steps=[1], seeds=cells // 2, epochs=1
    )
    job = runner.Job(chosen, expand(chosen, plugins), [str(plugin)])
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        walk(job, Path(folder), clock)
        end = time.perf_counter()
        records = store.read(folder).records
    if [record.status for record in records] != ["ok"] * len(job.cells):
        raise SystemExit("A cell did not end ok.")
    inside = sum(record.wall_seconds or 0.0 for record in records) / len(records)
    return Taken(clock.begun - clock.made, end - clock.begun, inside, len(records))


def per_cell(count: int, workers: int, folder: Path) -> dict[str, tuple[float, float]]:
    """Return what -> milliseconds by the clock, and of CPU in this process: of what the client does for every cell.

    Dask carries a text as long as a record there and back; a record is appended to a run.
    """
    record = blank_record(expand(suite.load("quick"), registry.default())[0])
    record.status, record.curve = "ok", [dict.fromkeys(CURVE_COLUMNS, 0.123456789) for _ in range(15)]
    text = record.to_json()
    with connected(f"local:{workers}") as client, store.opened(folder) as writer:
        here: Any = client.nthreads()
        addresses = itertools.cycle(here)

        def carry() -> None:
            futures = [
                client.submit(str.strip, text, workers=[next(addresses)], pure=False) for _ in range(workers)
            ]
            for future in futures:
                future.result()

        carry()
        carried = _clocked(carry, count // workers)
        stored = _clocked(lambda: writer.append(record), count)
    return {"Dask, there and back": (carried[0] / workers, carried[1] / workers), "on the disk": stored}


def _clocked(work: Callable[[], None], times: int) -> tuple[float, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        work()
    return 1000 * (time.perf_counter() - clock) / times, 1000 * (time.process_time() - cpu) / times


def main() -> None:
    """Measure and print line by line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cells", type=int, help="cells of each run, an even number")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.5, help="that each cell waits or computes")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{machine.describe()['cpu']}, {len(machine.affinity())} CPUs, load {load:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder) / "deeds.py"
        plugin.write_text(PLUGIN.format(seconds=given.seconds))
        for what, (clock, cpu) in per_cell(given.cells, given.workers, Path(folder) / "run").items():
            print(f"{what}: {clock:.1f} ms per cell, {cpu:.1f} ms of CPU in the client", flush=True)
        for task in ("waits", "computes"):
            alone = measure(one_after_another, task, given.cells, plugin)
            beside = measure(on_workers(given.workers), task, given.cells, plugin)
            for name, taken, slots in (("one", alone, 1), (f"local:{given.workers}", beside, given.workers)):
                print(
                    f"{task} {name}: start {taken.start:.1f} s, {taken.number} cells in {taken.cells:.1f} s, each "
                    f"{taken.inside:.3f} s inside and {taken.overhead(slots):.0f} ms besides",
                    flush=True,
                )
            whole = (alone.start + alone.cells) / (beside.start + beside.cells)
            print(
                f"{task}: {alone.cells / beside.cells:.2f}× as fast, {whole:.2f}× with the start", flush=True
            )


if __name__ == "__main__":
    main()
