"""Plugins that misbehave, and the command line run beside them as users run it."""

import os
import subprocess
import sys
from pathlib import Path

from rkbench import store

PREAMBLE = """
import ctypes, os, pathlib, signal, sys, threading, time
import torch
from rkbench import ODEBlock, Recipe, Task, hookimpl

HERE = pathlib.Path(__file__).parent

def task(name, action):
    \"\"\"A task whose network does something once, in its first evaluation of f.\"\"\"
    def network(solver, example, classes):
        done = []
        def f(t, y):
            if not done:
                done.append(name)
                action()
            return -y
        return torch.nn.Sequential(torch.nn.Flatten(), ODEBlock(f, solver=solver), torch.nn.Linear(64, classes))
    return Task(name=name, dataset="digits8", network=network, recipe=Recipe(epochs=1), target=0.5)
"""

HOOK = """
@hookimpl
def rkbench_tasks():
    return [task(name, action) for name, action in ACTIONS.items()]
"""


def plugin(folder: Path, actions: str, name: str = "faulty") -> Path:
    """Write a plugin that brings a task for each of ``ACTIONS``, which the text defines."""
    file = folder / f"{name}.py"
    file.write_text(PREAMBLE + actions + HOOK)
    return file


def command(out: Path, *options: object, tasks: object = (), verb: str = "run") -> list[str]:
    """Return the command that runs tasks with one cell each."""
    if verb != "run":
        return [sys.executable, "-m", "rkbench.cli", verb, str(out), *map(str, options)]
    shared = ["--out", out, "--method", "euler", "--seeds", 1]
    named = [word for task in tasks for word in ("--task", task)]
    return [sys.executable, "-m", "rkbench.cli", "run", *map(str, [*shared, *named, *options])]


def finished(arguments: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; nothing that a user does may show a traceback."""
    done = subprocess.run(arguments, **{"capture_output": True, "text": True, "timeout": 200} | more)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def by_task(out: Path) -> dict[str, object]:
    """Return the records of a run folder by the name of their task."""
    return {record.task: record for record in store.read(out).records}


def marked(marker: str) -> list[int]:
    """Return the live processes that carry a marker in their environment."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            content = Path(f"/proc/{entry}/environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in content:
            found.append(int(entry))
    return found
