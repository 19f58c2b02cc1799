"""The runner: real processes, real kills; every planned cell ends with exactly one record."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from rkbench import store

PLUGIN = """
import os, signal, sys, time
import torch
from rkbench import ButcherTableau, NativeEngine, Recipe, Task, ODEBlock, hookimpl

def bad(action):
    def network(solver, example, classes):
        def f(t, y):
            action()
            return -y
        return torch.nn.Sequential(torch.nn.Flatten(), ODEBlock(f, solver=solver), torch.nn.Linear(64, classes))
    return network

def nan():
    def network(solver, example, classes):
        linear = torch.nn.Linear(64, classes)
        f = lambda t, y: y * float("nan")
        return torch.nn.Sequential(torch.nn.Flatten(), ODEBlock(f, solver=solver), linear)
    return network

class Liar(NativeEngine):
    name = "liar"
    def solve(self, solver, f, y0, t_span, t_eval=None):
        f(torch.tensor(0.0), y0)
        return super().solve(solver, f, y0, t_span, t_eval)

def raises():
    raise RuntimeError("the field\\nfell <b>over</b>")

def shouts():
    print("x" * 100_000)
    raise SystemExit(3)

ACTIONS = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exits": lambda: os._exit(7),
    "hangs": lambda: time.sleep(600),
    "raises": raises,
    "shouts": shouts,
}

@hookimpl
def rkbench_tasks():
    made = {name: bad(action) for name, action in ACTIONS.items()} | {"nan": nan()}
    return [Task(name=name, dataset="digits8", network=network, recipe=Recipe(epochs=1), target=0.5)
            for name, network in made.items()]

@hookimpl
def rkbench_engines():
    return [Liar()]
"""


def rkbench(*arguments, **options):
    return subprocess.Popen([sys.executable, "-m", "rkbench.cli", *map(str, arguments)], **options)


def finished(*arguments, timeout=120):
    return subprocess.run(
        [sys.executable, "-m", "rkbench.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture
def plugin(tmp_path):
    file = tmp_path / "faults.py"
    file.write_text(PLUGIN)
    return file


def test_every_way_to_fail_has_a_row_with_its_reason(plugin, tmp_path):
    out = tmp_path / "run"
    tasks = ["segfault", "killed", "exits", "hangs", "raises", "shouts", "nan", "digits8_tanh"]
    options = [option for task in tasks for option in ("--task", task)]
    done = finished(
        "run",
        "--plugin",
        plugin,
        "--out",
        out,
        "--method",
        "euler",
        "--seeds",
        1,
        "--epochs",
        1,
        "--timeout",
        6,
        *options,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    records = {record.task: record for record in store.read(out).records}
    assert {task: record.status for task, record in records.items()} == {
        "segfault": "crashed",
        "killed": "crashed",
        "exits": "crashed",
        "hangs": "timeout",
        "raises": "crashed",
        "shouts": "crashed",
        "nan": "non_finite",
        "digits8_tanh": "ok",
    }
    assert "SIGSEGV" in records["segfault"].message
    assert "SIGKILL" in records["killed"].message
    assert "exit code 7" in records["exits"].message
    assert "6 s" in records["hangs"].message
    assert "RuntimeError: the field fell" in records["raises"].message
    assert len(records["shouts"].message) < 1000


def test_an_engine_that_hides_evaluations_is_caught(plugin, tmp_path):
    suite = tmp_path / "liar.toml"
    suite.write_text(
        'title="t"\nbaseline="euler"\ntasks=["digits8_tanh"]\nseeds=1\nepochs=1\n'
        '[[solvers]]\nmethod="euler"\nsteps=5\nengine="liar"\n'
    )
    out = tmp_path / "run"
    assert finished("run", suite, "--plugin", plugin, "--out", out).returncode == 1
    (record,) = store.read(out).records
    assert record.status == "plugin_failed"
    assert "claims 5 evaluations of f where the harness counted 6" in record.message


def test_killed_in_mid_cell_and_started_again_every_cell_is_there_once(tmp_path):
    out = tmp_path / "run"
    command = (
        "run",
        "quick",
        "--out",
        out,
        "--seeds",
        2,
        "--epochs",
        3,
        "--method",
        "euler",
        "--method",
        "dopri5",
    )
    for wait_for in (0, 1, 2):
        process = rkbench(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while _lines(out) <= wait_for - 1 or not (out / store.MANIFEST).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.15 * wait_for)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with (out / store.RECORDS).open("ab") as file:
        file.write(b'{"cell_id": "torn')
    done = finished(*command)
    assert done.returncode == 0, done.stderr
    assert "torn" in done.stdout
    ledger = store.read(out)
    planned = [cell["cell_id"] for cell in ledger.manifest["plan"]]
    assert sorted(r.cell_id for r in ledger.records) == sorted(planned)
    assert _lines(out) == len(planned) == 4
    assert all(r.status == "ok" for r in ledger.records)


def _lines(out):
    path = out / store.RECORDS
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_killed_runner_leaves_no_cell_behind(plugin, tmp_path):
    """The cell's process dies with its owner, so it does not disturb the run that resumes."""
    out = tmp_path / "run"
    marker = f"RKBENCH_TEST_MARKER={tmp_path.name}"
    environment = os.environ | dict([marker.split("=")])
    process = rkbench(
        "run", "--plugin", plugin, "--task", "hangs", "--seeds", 1, "--method", "euler", "--out", out,
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    for line in process.stdout:
        if b"1 cell" in line:
            break
    time.sleep(1.0)
    assert len(_marked(marker)) >= 2
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while _marked(marker):
        assert time.monotonic() < deadline, _marked(marker)
        time.sleep(0.1)
    process.stdout.close()


def _marked(marker):
    """The live processes that carry the marker in their environment."""
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


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_that_it_can_resume(tmp_path, stop):
    out = tmp_path / "run"
    process = rkbench(
        "run", "--out", out, "--seeds", 1,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(stop, signal.SIG_DFL),  # a background job inherits SIGINT ignored
    )  # fmt: skip
    while _lines(out) < 1:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the same command resumes" in errors
    assert "Traceback" not in errors


def test_a_longer_plan_reuses_what_the_folder_holds(tmp_path):
    out = tmp_path / "run"
    common = ("run", "--out", out, "--method", "euler", "--epochs", 1)
    assert finished(*common, "--seeds", 1).returncode == 0
    before = (out / store.RECORDS).read_bytes()
    assert finished(*common, "--seeds", 2).returncode == 0
    assert (out / store.RECORDS).read_bytes().startswith(before)
    assert len(store.read(out).records) == 2


def test_cells_beside_others_lose_their_claim_to_comparable_time(tmp_path):
    out = tmp_path / "run"
    assert (
        finished(
            "run", "--out", out, "--method", "euler", "--epochs", 1, "--seeds", 2, "--jobs", 2
        ).returncode
        == 0
    )
    records = store.read(out).records
    assert [r.timing_valid for r in records] == [False, False]
    assert all(r.test_accuracy for r in records)


def test_seeds_are_paired_across_solvers(tmp_path):
    """The same initial weights and batch order: two methods of the same map learn exactly the same."""
    file = tmp_path / "twin.py"
    file.write_text(
        "from rkbench import ButcherTableau, hookimpl\n"
        "@hookimpl\ndef rkbench_methods():\n"
        '    return [ButcherTableau(name="twin", order=1, c="0", a=("",), b="1")]\n'
    )
    out = tmp_path / "run"
    done = finished(
        "run",
        "--plugin",
        file,
        "--out",
        out,
        "--method",
        "euler",
        "--method",
        "twin",
        "--seeds",
        2,
        "--epochs",
        1,
    )
    assert done.returncode == 0, done.stderr
    losses = {(r.method, r.seed): r.train_loss for r in store.read(out).records}
    assert losses["euler", 0] == losses["twin", 0]
    assert losses["euler", 1] == losses["twin", 1]
    assert losses["euler", 0] != losses["euler", 1]


def test_a_folder_of_another_suite_is_refused(tmp_path):
    store.write_manifest(tmp_path, {"suite": {"name": "other"}, "plan": []})
    done = finished("run", "--out", tmp_path, "--seeds", 1)
    assert done.returncode == 2
    assert "holds a run of the suite 'other'" in done.stderr


def test_the_manifest_says_what_was_run_where_on_what(tmp_path):
    out = tmp_path / "run"
    assert finished("run", "--out", out, "--method", "euler", "--epochs", 1, "--seeds", 1).returncode == 0
    manifest = json.loads((out / store.MANIFEST).read_text())
    assert manifest["suite"]["name"] == "quick"
    assert len(manifest["data"]["digits8"]["sha256"]) == 64
    assert manifest["data"]["digits8"]["train"] == 1438
    assert manifest["versions"]["torch"]
    assert manifest["machine"]["cpu"]
    assert manifest["command"].startswith("rkbench run --out")
