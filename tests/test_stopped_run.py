"""A run that is stopped, however and in mid-cell, resumes: real processes, real signals, one run of three tasks."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from rkbench import store

pytestmark = pytest.mark.faults

PLUGIN = """
import pathlib, time
import torch
from rkbench import ODEBlock, Recipe, Task, hookimpl

HERE = pathlib.Path(__file__).parent

def waiting(name):
    def f(t, y):
        while not (HERE / f"{name}.goes_on").exists():
            (HERE / f"{name}.waits").touch()
            time.sleep(0.01)
        return -y

    def network(solver, example, classes):
        return torch.nn.Sequential(torch.nn.Flatten(), ODEBlock(f, solver=solver), torch.nn.Linear(64, classes))
    return Task(name=name, dataset="digits8", network=network, recipe=Recipe(epochs=1), target=0.5)

@hookimpl
def rkbench_tasks():
    return [waiting(name) for name in ("first", "second", "third")]
"""
STOPS = {"first": signal.SIGINT, "second": signal.SIGKILL, "third": signal.SIGTERM}
"""The task whose cell is stopped, and how."""
TORN = b'{"cell_id": "torn'


@dataclass
class Stop:
    """How a run ended, what it wrote, the records there were, the processes before and some time after."""

    code: int
    output: str
    errors: str
    records: int
    before: list[int]
    after: list[int]


@dataclass
class Story:
    """The folder of a run, how each stop went, and how it ended when it was left to."""

    folder: Path
    stops: dict[str, Stop]
    end: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A run that is stopped in a cell of each of its tasks, then left to end."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "waiting.py").write_text(PLUGIN)
    tasks = [option for task in STOPS for option in ("--task", task)]
    options = [
        "--out",
        folder / "run",
        "--plugin",
        folder / "waiting.py",
        "--method",
        "euler",
        "--seeds",
        "1",
    ]
    command = [sys.executable, "-m", "rkbench.cli", "run", *map(str, options), "--epochs", "1", *tasks]
    stops = {task: stopped(folder, command, task) for task in STOPS}
    return Story(folder, stops, subprocess.run(command, capture_output=True, text=True, timeout=120))


def stopped(folder, command, task):
    """Start the run, stop it while the cell of the task waits, and let that cell go on the next time."""
    marker = f"RKBENCH_TEST_MARKER={folder}-{task}"
    process = subprocess.Popen(
        command,
        env=os.environ | dict([marker.split("=")]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a background job inherits it ignored
    )
    try:
        until(lambda: (folder / f"{task}.waits").exists() or process.poll() is not None, 120)
        before = marked(marker)
        process.send_signal(STOPS[task])
        output, errors = process.communicate(timeout=20)
        until(lambda: not marked(marker), 10)
        after = marked(marker)
    finally:
        process.kill()
    records = lines(folder / "run")
    if STOPS[task] == signal.SIGKILL:
        with (folder / "run" / store.RECORDS).open("ab") as file:
            file.write(TORN)
    (folder / f"{task}.goes_on").touch()
    return Stop(process.returncode, output, errors, records, before, after)


def until(reached, seconds):
    """Wait for something, not for ever."""
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)


def lines(out):
    path = out / store.RECORDS
    return path.read_bytes().count(b"\n") if path.exists() else 0


def marked(marker):
    """Return the live processes that carry the marker in their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if marker.encode() in file.read():
                        found.append(int(entry))
            except OSError:
                continue
    return found


@pytest.mark.parametrize("task", ["first", "third"])
def test_a_stopped_run_says_that_it_can_resume(story, task):
    stop = story.stops[task]
    assert stop.code == 1
    assert "the same command resumes" in stop.errors
    assert "Traceback" not in stop.output + stop.errors


@pytest.mark.parametrize("task", STOPS)
def test_a_stopped_runner_leaves_no_cell_behind(story, task):
    """The cell's process dies with its owner, so it does not disturb the run that resumes."""
    stop = story.stops[task]
    assert len(stop.before) >= 3  # the runner, the server and the cell
    assert stop.after == []


def test_stopped_in_mid_cell_and_started_again_every_cell_is_there_once(story):
    first, second, third = (stop.records for stop in story.stops.values())
    assert 0 == first < second < third
    assert story.end.returncode == 0, story.end.stderr
    ledger = store.read(story.folder / "run")
    planned = [cell["cell_id"] for cell in ledger.manifest["plan"]]
    assert sorted(r.cell_id for r in ledger.records) == sorted(planned)
    assert len(planned) >= 3
    rows = [json.loads(row) for row in (story.folder / "run" / store.RECORDS).read_text().splitlines()]
    assert [
        row["cell_id"] for row in rows if row.get("attempt", 1) == 1
    ] == planned  # more, if the machine was disturbed
    assert all(r.status == "ok" for r in ledger.records)


def test_a_line_torn_by_a_kill_is_taken_out_and_told(story):
    assert story.stops["second"].code == -signal.SIGKILL
    assert "torn" in story.stops["third"].output
    assert TORN not in (story.folder / "run" / store.RECORDS).read_bytes()


def test_the_manifest_says_what_was_run_where_on_what(story):
    manifest = json.loads((story.folder / "run" / store.MANIFEST).read_text())
    assert manifest["suite"]["name"] == "quick"
    assert len(manifest["data"]["digits8"]["sha256"]) == 64
    assert manifest["data"]["digits8"]["train"] == 1438
    assert manifest["versions"]["torch"]
    assert manifest["machine"]["cpu"]
    assert manifest["command"].startswith("rkbench run --out")
