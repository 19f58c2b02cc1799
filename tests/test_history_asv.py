"""Real asv over two commits of a throwaway repository: what the second one spoils is found, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "README.md", "rkbench-example")

SERIES = r"solving\.(Evaluations|Error)|solving\.Forward\.time_forward\('rk4"
"""Of the suite, what the second commit spoils and what repeats itself: two processes with torch."""
UNTOUCHED = r"starting\.Starting\.time_(import|help)"
"""Times that it does not touch: measured at either commit by turns, so that who else is busy disturbs both."""

SPOILED = {
    "bench/rkbench/integrate/scheme.py": (
        "fsal=method.fsal and used[-1] == method.stages - 1",
        "fsal=False",
    ),
    "bench/rkbench/integrate/fixed.py": (
        "        h = t_next - t\n        y_new, slopes = road.step",
        "        h = t_next - t\n        __import__('time').sleep(0.005)\n        y_new, slopes = road.step",
    ),
}
"""File -> code that is good and code that is not: the last stage is not used again, and every equal step sleeps."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Return a repository with this rkbench and its suite, measured at two commits, the second one spoiled."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("bench", "plugins"):
        shutil.copytree(ROOT / name, root / name, ignore=LEFT_OUT)
    config = json.loads((ROOT / "asv.conf.json").read_text("utf-8"))
    (root / "asv.conf.json").write_text(json.dumps(config))
    git(root, "init", "-q", "-b", "main")
    (root / ".gitignore").write_text(".asv/\nresults/\n")
    commits = [committed(root, "The engine as it is")]
    for name, (good, bad) in SPOILED.items():
        text = (root / name).read_text("utf-8")
        assert text.count(good) == 1, f"{name} has no {good!r} to spoil"
        (root / name).write_text(text.replace(good, bad), encoding="utf-8")
    commits.append(committed(root, "Spoil the engine"))
    asv(root, "machine", "--yes", "--machine", "here")
    for series in (SERIES, UNTOUCHED, UNTOUCHED):
        for commit in commits:
            measure(root, commit, series)
    return root


@pytest.fixture(scope="module")
def told(repository):
    """Return what `rkbench history --json` says, and its exit code."""
    done = command(repository, sys.executable, "-m", "rkbench.cli", "history", "--json")
    return json.loads(done.stdout) | {"code": done.returncode}


def test_both_commits_were_measured_without_a_failure(told):
    assert [one["subject"] for one in told["commits"]] == ["The engine as it is", "Spoil the engine"]
    states = {point["state"] for one in told["series"] for point in one["points"]}
    assert states == {"measured", "not applicable"}  # the latter is what asv was not asked for
    assert len(states_of(told, "measured")) >= 13


def test_the_lost_reuse_of_a_stage_is_found_exactly(told):
    found = {one["parameters"]: one["ratio"] for one in told["findings"] if "nfe" in one["benchmark"]}
    assert set(found) == {"bosh3 1e-3", "dopri5 1e-3", "tsit5 1e-6"}
    assert all(ratio > 1.05 for ratio in found.values())


def test_the_slowdown_is_found_with_an_interval(told):
    [found] = [one for one in told["findings"] if one["kind"] == "time"]
    assert (found["benchmark"], found["parameters"]) == ("solving.Forward.time_forward", "rk4 x10")
    assert 1 < found["low"] < found["ratio"] < found["high"]


def test_nothing_else_is_reported_and_the_commit_is_named(told):
    assert len(told["findings"]) == 4
    assert {one["change"] for one in told["findings"]} == {"worse"}
    assert {one["subject"] for one in told["findings"]} == {"Spoil the engine"}
    assert {one["culprit"] for one in told["findings"]} == {
        f"{told['commits'][1]['commit'][:8]} Spoil the engine"
    }


def test_the_exit_code_is_that_of_a_regression(told):
    assert told["regressed"]
    assert told["code"] == 1


def test_asv_publish_finds_the_same_commit(repository):
    asv(repository, "publish", "--no-pull")
    steps = json.loads((repository / ".asv/html/regressions.json").read_text("utf-8"))["regressions"]
    assert "solving.Evaluations.track_nfe" in " ".join(step[0] for step in steps)


def states_of(told, state):
    """Return the series that have this state at both commits."""
    return [one for one in told["series"] if [point["state"] for point in one["points"]] == [state, state]]


def measure(root, commit, series):
    """Run asv for a commit with the interpreter that is running, which takes rkbench from the repository."""
    git(root, "checkout", "-q", commit)
    asv(
        root, "run", "-E", f"existing:{sys.executable}", "--set-commit-hash", commit, "--machine", "here", "--no-pull",
        "--launch-method", "spawn", "--append-samples", "--bench", series, "--attribute", "rounds=1",
        "--attribute", "repeat=8", "--attribute", "warmup_time=0.1",
    )  # fmt: skip


def asv(root, *arguments):
    done = command(root, sys.executable, "-m", "asv", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def command(root, *arguments):
    (root / ".asv").mkdir(exist_ok=True)
    own = {"HOME": str(root / ".asv"), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    own["ASV_PYTHONPATH"] = os.pathsep.join((str(root / "bench"), str(root / "plugins")))
    return subprocess.run(
        arguments, cwd=root, env=os.environ | own, capture_output=True, text=True, timeout=200
    )


def committed(root, subject):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", subject)
    return git(root, "rev-parse", "HEAD")


def git(root, *arguments):
    identity = [
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgSign=false",
        "-c",
        "core.excludesFile=",
    ]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
