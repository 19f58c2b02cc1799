"""A real scheduler, real workers, real kills: every cell has its record, once, and nothing is left on the workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from rkbench import cluster, registry, runner, store, suite
from rkbench.plan import expand

pytestmark = pytest.mark.faults

PLUGIN = """
import math, os, pathlib, time
import psutil
import torch
from rkbench import InitialValueProblem, ODEBlock, Recipe, SolveTask, Task, hookimpl

def waits():
    gate = os.environ["RKBENCH_TEST_GATE"]
    pathlib.Path(gate + f".{os.getpid()}.began").touch()
    while not pathlib.Path(gate).exists():
        time.sleep(0.05)

def kills():
    above = psutil.Process().parents()
    next(one for one in above if "dask_worker" in " ".join(one.cmdline())).kill()
    time.sleep(60)

def solves(name, action):
    def f(t, y):
        action()
        return -y
    return SolveTask(name, InitialValueProblem(name, f, (1.0,), (0.0, 1.0), (math.exp(-1),), "by hand"))

def network(solver, example, classes):
    return torch.nn.Sequential(torch.nn.Flatten(), ODEBlock(lambda t, y: -y, solver=solver), torch.nn.Linear(64, classes))

@hookimpl
def rkbench_tasks():
    learns = Task(name="learns", dataset="digits8", network=network, recipe=Recipe(epochs=1, batch_size=1438), target=0.5)
    return [solves("waits", waits), solves("kills", kills), solves("passes", lambda: None), learns]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the plugin, and the gate at which its cells wait."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "deeds.py").write_text(PLUGIN)
    return folder


@pytest.fixture
def gate(place):
    for file in place.glob("gate*"):
        file.unlink()
    return place / "gate"


@contextmanager
def started(place, module, *arguments, **environment):
    """Run a command of Dask as long as it is needed, with a folder of its own for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="rk-"))  # its path leaves room for the names of sockets
    known = {"TMPDIR": str(folder), "RKBENCH_TEST_GATE": str(place / "gate")}
    command = [sys.executable, "-m", f"distributed.cli.{module}", *map(str, arguments)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | known | environment, stdout=log, stderr=log, cwd=folder
        )
    process.folder = folder
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scheduler(place):
    """Start a scheduler and return its process and address."""
    file = place / f"scheduler-{time.monotonic_ns()}.json"
    with started(
        place,
        "dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        file,
    ) as it:
        until(lambda: "Scheduler at" in (it.folder / "log").read_text() and file.exists(), 30)
        [line] = [line for line in (it.folder / "log").read_text().splitlines() if "Scheduler at:" in line]
        yield it, line.split()[-1]


@pytest.fixture(scope="module")
def address(place):
    with scheduler(place) as (_, address):
        yield address


@pytest.fixture
def workers(place, address):
    """Start workers of the scheduler, which end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(count, **environment):
            options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
            return [
                stack.enter_context(started(place, "dask_worker", address, *options, **environment))
                for _ in range(count)
            ]

        yield start


class Watcher:
    """Keeps what it is told; does something when a cell has ended."""

    def __init__(self, then=lambda cell: None):
        self.then, self.told = then, []

    def ended(self, cell, record, again):
        self.then(cell)

    def note(self, sentence):
        self.told.append(sentence)

    def planned(self, todo, done):
        pass

    def started(self, cell):
        pass


def until(reached, seconds):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(place, out, address, *tasks, watcher=None, jobs=4, seeds=2, method=("euler", "rk4"), at_least=1):
    """Run tasks on the cluster once so many workers are there, and return the records as they stand in the file."""
    files = [str(place / "deeds.py")]
    plugins = registry.load(files)
    chosen = suite.select(suite.load("quick"), tasks=tasks, methods=method, seeds=seeds, epochs=1)
    cells = expand(chosen, plugins)
    watcher = watcher or Watcher()
    with cluster.opened(address, jobs, cells, files, plugins, watcher.note) as workers:
        workers.crew.client.wait_for_workers(at_least, timeout=60)
        runner.run(runner.Job(chosen, cells, files), out, watcher, cluster=workers)
    records = store.read(out).records
    rows = [json.loads(line) for line in (out / store.RECORDS).read_text().splitlines()]
    assert len({(row["cell_id"], row["attempt"]) for row in rows}) == len(rows)
    assert sorted(record.cell_id for record in records) == sorted(cell.cell_id for cell in cells)
    return records


def began(place):
    """Return a file per cell that has come to the gate."""
    return list(place.glob("gate.*.began"))


def left_by(worker):
    """Return the processes below a worker, and its files, that rkbench left."""
    processes = psutil.Process(worker.pid).children(recursive=True) if worker.poll() is None else []
    files = [file.name for file in worker.folder.rglob("rkbench-*") if file.name != "rkbench-turns.lock"]
    return [one.pid for one in processes], files


def test_a_worker_killed_in_mid_run_loses_no_cell_and_doubles_none(place, address, workers, gate, tmp_path):
    one, other = workers(2)

    def kill():
        until(lambda: len(began(place)) == 2, 60)
        one.kill()
        gate.touch()

    killer, watcher = threading.Thread(target=kill), Watcher()
    killer.start()
    records = run(
        place, tmp_path / "run", address, "waits", "passes", watcher=watcher, method=["euler"], at_least=2
    )
    killer.join()
    assert {record.status for record in records} == {"ok"}
    assert not any(record.timing_valid for record in records)
    assert sum("was lost" in sentence for sentence in watcher.told) == 1
    assert left_by(other) == ([], [])


def test_a_cell_that_kills_every_worker_has_crashed_and_the_rest_is_measured(
    place, address, workers, tmp_path
):
    workers(4)
    watcher = Watcher()
    records = run(
        place,
        tmp_path / "run",
        address,
        "kills",
        "passes",
        watcher=watcher,
        seeds=1,
        method=["euler"],
        at_least=4,
    )
    [killer] = [record for record in records if record.task == "kills"]
    assert killer.status == "crashed"
    assert killer.message.count("tcp://") == 3
    assert killer.message.startswith("3 workers were lost while they measured the cell")
    assert {record.status for record in records if record is not killer} == {"ok"}
    assert sum("was lost" in sentence for sentence in watcher.told) == 2


def test_a_run_that_is_stopped_leaves_the_cluster_clean_and_resumes(place, address, workers, gate, tmp_path):
    two = workers(2)
    command = [sys.executable, "-m", "rkbench.cli", "run", "--plugin", place / "deeds.py", "--task", "passes"]
    command += ["--task", "waits", "--method", "euler", "--seeds", "1", "--epochs", "1", "--dask", address]
    process = subprocess.Popen(
        [*map(str, command), "--jobs", "2", "--out", str(tmp_path / "run")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    until(lambda: began(place) or process.poll() is not None, 60)
    until(lambda: (tmp_path / "run" / store.RECORDS).exists(), 30)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 1, output + errors
    assert "the same command resumes" in errors
    assert "Traceback" not in output + errors
    assert [left_by(worker) for worker in two] == [([], []), ([], [])]
    gate.touch()
    before = (tmp_path / "run" / store.RECORDS).read_bytes()
    records = run(place, tmp_path / "run", address, "passes", "waits", seeds=1, method=("euler",))
    assert Counter(record.status for record in records) == {"ok": 2}
    assert (tmp_path / "run" / store.RECORDS).read_bytes().startswith(before)


def test_a_client_that_is_killed_leaves_no_cell_running(place, address, workers, gate, tmp_path):
    [worker] = workers(1)
    command = [sys.executable, "-m", "rkbench.cli", "run", "--plugin", place / "deeds.py", "--task", "waits"]
    command += ["--method", "euler", "--seeds", "1", "--dask", address, "--out", tmp_path / "run"]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: began(place) or process.poll() is not None, 60)
    process.kill()
    process.wait()
    until(lambda: left_by(worker) == ([], []), 20)


def test_a_worker_with_other_code_is_refused_before_anything_ran(place, address, workers, tmp_path):
    import shutil

    import rkbench

    here = Path(rkbench.__file__).parent
    shutil.copytree(here, tmp_path / "rkbench", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "rkbench" / "train.py").open("a") as file:
        file.write("# another day\n")
    workers(1, PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    with pytest.raises(
        rkbench.errors.RunError, match="differs from this machine in rkbench: .* install the same"
    ):
        run(place, tmp_path / "run", address, "passes")
    assert not (tmp_path / "run" / store.RECORDS).exists()


def test_a_scheduler_that_goes_stops_the_run_in_a_sentence_and_keeps_the_records(place, tmp_path):
    from rkbench.errors import RunError

    with (
        scheduler(place) as (process, address),
        started(place, "dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard") as worker,
    ):
        watcher = Watcher(lambda cell: process.kill())
        with pytest.raises(RunError, match="has gone; every cell measured so far is kept"):
            run(place, tmp_path / "run", address, "passes", watcher=watcher)
        assert store.read(tmp_path / "run").records
        until(lambda: left_by(worker) == ([], []), 20)
