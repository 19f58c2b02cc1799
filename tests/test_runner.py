"""The runner: every cell a process of its own; however it ends, it has exactly one record."""

import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from rkbench import registry, runner, store, suite
from rkbench.cli import main
from rkbench.plan import expand
from rkbench.progress import Screen

PLUGIN = """
import os, signal, sys, time
import torch
from rkbench import ButcherTableau, NativeEngine, Recipe, Task, ODEBlock, UnsupportedError, hookimpl

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

def refuses():
    raise UnsupportedError("No twin of this f; choose another engine.")

def shouts():
    print("x" * 100_000)
    raise SystemExit(3)

ACTIONS = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exits": lambda: os._exit(7),
    "hangs": lambda: time.sleep(600),
    "raises": raises,
    "refuses": refuses,
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


def measured(out, files=(), *, suite_name="quick", **selection):
    """Run a suite as the command line does, but for the report, and return its records."""
    chosen = suite.select(suite.load(str(suite_name)), **({"epochs": 1} | selection))
    files = [str(file) for file in files]
    with Screen(Console(file=StringIO())) as screen:
        runner.run(runner.Job(chosen, expand(chosen, registry.load(files)), files), out, screen)
    return store.read(out).records


@pytest.fixture
def plugin(tmp_path):
    file = tmp_path / "faults.py"
    file.write_text(PLUGIN)
    return file


def test_every_way_to_fail_has_a_row_with_its_reason(plugin, tmp_path):
    out = tmp_path / "run"
    tasks = ["segfault", "killed", "exits", "raises", "refuses", "shouts", "nan", "digits8_tanh"]
    options = [option for task in tasks for option in ("--task", task)]
    options += ["--plugin", plugin, "--out", out, "--method", "euler", "--seeds", 1, "--epochs", 1]
    done = subprocess.run(
        [sys.executable, "-m", "rkbench.cli", "run", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    records = {record.task: record for record in store.read(out).records}
    assert {task: record.status for task, record in records.items()} == {
        "segfault": "crashed",
        "killed": "crashed",
        "exits": "crashed",
        "raises": "crashed",
        "refuses": "skipped",
        "shouts": "crashed",
        "nan": "non_finite",
        "digits8_tanh": "ok",
    }
    assert "SIGSEGV" in records["segfault"].message
    assert "SIGKILL" in records["killed"].message
    assert "exit code 7" in records["exits"].message
    assert "RuntimeError: the field fell" in records["raises"].message
    assert records["refuses"].message == "No twin of this f; choose another engine."
    assert len(records["shouts"].message) < 1000


def test_a_cell_that_takes_too_long_is_ended(plugin, tmp_path):
    options = {"tasks": ["hangs"], "methods": ["euler"], "seeds": 1, "timeout_seconds": 0.5}
    (record,) = measured(tmp_path / "run", [plugin], **options)
    assert record.status == "timeout"
    assert "longer than 0.5 s" in record.message
    assert 0.5 <= record.wall_seconds < 60


def test_an_engine_that_hides_evaluations_is_caught(plugin, tmp_path):
    file = tmp_path / "liar.toml"
    file.write_text(
        'title="t"\nbaseline="euler"\ntasks=["digits8_tanh"]\nseeds=1\nepochs=1\n'
        '[[solvers]]\nmethod="euler"\nsteps=5\nengine="liar"\n'
    )
    (record,) = measured(tmp_path / "run", [plugin], suite_name=file)
    assert record.status == "plugin_failed"
    assert "claims 5 evaluations of f where the harness counted 6" in record.message


def test_a_longer_plan_reuses_what_the_folder_holds(tmp_path):
    out = tmp_path / "run"
    measured(out, methods=["euler"], seeds=1)
    before = (out / store.RECORDS).read_bytes()
    assert {record.seed for record in measured(out, methods=["euler"], seeds=2)} == {0, 1}
    assert (out / store.RECORDS).read_bytes().startswith(before)


def test_cells_beside_others_lose_their_claim_to_comparable_time(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as done:
        main(["run", "--out", str(out), "--method", "euler", "--epochs", "1", "--seeds", "2", "--jobs", "2"])
    assert done.value.code == 0
    records = store.read(out).records
    assert {(r.seed, r.timing_valid) for r in records} == {(0, False), (1, False)}
    assert all(r.test_accuracy for r in records)


def test_seeds_are_paired_across_solvers(tmp_path):
    """The same initial weights and batch order: two methods of the same map learn exactly the same."""
    file = tmp_path / "twin.py"
    file.write_text(
        "from rkbench import ButcherTableau, hookimpl\n"
        "@hookimpl\ndef rkbench_methods():\n"
        '    return [ButcherTableau(name="twin", order=1, c="0", a=("",), b="1")]\n'
    )
    records = measured(tmp_path / "run", [file], methods=["euler", "twin"], seeds=2)
    losses = {(r.method, r.seed): r.train_loss for r in records}
    assert losses["euler", 0] == losses["twin", 0]
    assert losses["euler", 1] == losses["twin", 1]
    assert losses["euler", 0] != losses["euler", 1]


def test_a_folder_of_another_suite_is_refused(tmp_path, capsys):
    store.write_manifest(tmp_path, {"suite": {"name": "other"}, "plan": []})
    with pytest.raises(SystemExit) as done:
        main(["run", "--out", str(tmp_path), "--seeds", "1"])
    assert done.value.code == 2
    assert "holds a run of the suite 'other'" in capsys.readouterr().err
