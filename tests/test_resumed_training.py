"""Trainings killed between two epochs go on bit for bit: real processes, two cells, one kill -9."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from rkbench import checkpoints, store

pytestmark = pytest.mark.faults

PLUGIN = """
import hashlib, pathlib, time
import torch
from rkbench import ODEBlock, Recipe, Task, hookimpl, saving

saving.EVERY_SECONDS = 0.0
HERE = pathlib.Path(__file__).parent

class Watched(torch.nn.Sequential):
    name, begun = "", 0

    def train(self, mode=True):
        if mode:
            self.begun += 1
            while self.begun == 3 and not (HERE / "goes_on").exists():
                (HERE / f"{self.name}.waits").touch()
                time.sleep(0.01)
        else:
            digest = hashlib.sha256()
            for tensor in self.state_dict().values():
                digest.update(tensor.numpy().tobytes())
            (HERE / f"{self.name}.weights").write_text(digest.hexdigest())
        return super().train(mode)

class Field(torch.nn.Linear):
    def forward(self, t, y):
        return torch.tanh(super().forward(y))

def task(name, *layers, **recipe):
    def network(solver, example, classes):
        made = [torch.nn.Flatten(), *layers, ODEBlock(Field(64, 64), solver=solver), torch.nn.Linear(64, classes)]
        watched = Watched(*made)
        watched.name = name
        return watched
    return Task(name, "digits8", network, Recipe(epochs=4, batch_size=512, **recipe), target=0.5)

@hookimpl
def rkbench_tasks():
    sgd = {"optimizer": "sgd", "momentum": 0.9, "schedule": "steps", "milestones": (0.6,), "crop": 1}
    dropout = torch.nn.BatchNorm1d(64), torch.nn.Dropout(0.2)
    return [task("sgd", learning_rate=0.05, **sgd), task("adamw", *dropout, weight_decay=0.1)]
"""
TASKS = ("sgd", "adamw")
OF_THE_PROCESS = {"measured_at", "peak_memory_mb", "cpus", "resumed_epochs"}


@dataclass
class Story:
    """Two folders, in one of which the run was killed; what it left behind then, and what it said at its end."""

    whole: Path
    killed: Path
    left: list[str]
    output: str


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    whole, killed = (tmp_path_factory.mktemp(name) for name in ("whole", "killed"))
    (whole / "goes_on").touch()
    for folder in (whole, killed):
        (folder / "watched.py").write_text(PLUGIN)
    subprocess.run(command(whole), check=True, capture_output=True, timeout=120)
    kill_between_epochs(killed)
    left = sorted(file.name for file in (killed / "run" / checkpoints.CHECKPOINTS).iterdir())
    (killed / "goes_on").touch()
    end = subprocess.run(command(killed), check=True, capture_output=True, text=True, timeout=120)
    return Story(whole, killed, left, " ".join(end.stdout.split()))


def command(folder):
    tasks = [option for task in TASKS for option in ("--task", task)]
    options = ["--method", "euler", "--seeds", "1", "--epochs", "4", "--jobs", "2"]
    where = ["--out", str(folder / "run"), "--plugin", str(folder / "watched.py")]
    return [sys.executable, "-m", "rkbench.cli", "run", *where, *options, *tasks]


def kill_between_epochs(folder):
    """Kill the run, and with it its cells, once each of them is about to begin its third epoch."""
    process = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    try:
        while not all((folder / f"{task}.waits").exists() for task in TASKS):
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def records(folder):
    return {record.task: record for record in store.read(folder / "run").records}


def without_times(value):
    if isinstance(value, list):
        return [without_times(entry) for entry in value]
    if isinstance(value, dict):
        return {
            key: without_times(entry)
            for key, entry in value.items()
            if "seconds" not in key and key not in OF_THE_PROCESS
        }
    return value


def test_each_cell_that_was_killed_left_one_checkpoint(story):
    names = (checkpoints.place(Path(), record.cell_id, 1).name for record in records(story.killed).values())
    assert story.left == sorted(names)


@pytest.mark.parametrize("task", TASKS)
def test_a_killed_training_ends_with_the_weights_of_one_that_was_not(story, task):
    ours, theirs = ((folder / f"{task}.weights").read_text() for folder in (story.killed, story.whole))
    assert ours == theirs


@pytest.mark.parametrize("task", TASKS)
def test_its_record_is_the_same_but_for_times_and_what_was_resumed(story, task):
    ours, theirs = (records(folder)[task] for folder in (story.killed, story.whole))
    assert without_times(json.loads(ours.to_json())) == without_times(json.loads(theirs.to_json()))
    assert (ours.resumed_epochs, theirs.resumed_epochs) == (2, 0)
    assert ours.train_seconds == sum(row["seconds"] for row in ours.curve)
    assert len(ours.curve) == 4


def test_the_user_is_told_where_each_training_goes_on(story):
    for task in TASKS:
        assert f"{task} euler seed 0: goes on after epoch 2 of 4" in story.output


def test_no_checkpoint_is_left_once_the_records_are_there(story):
    for folder in (story.whole, story.killed):
        assert not (folder / "run" / checkpoints.CHECKPOINTS).exists()
