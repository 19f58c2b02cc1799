"""What a run needs besides its folder is taken away: its server, its temporary folder, its files, its only writership."""

import os
import resource
import shutil
import subprocess
import sys
import time

import psutil
import pytest
from faulty import by_task, command, finished, plugin

from rkbench import store

pytestmark = pytest.mark.faults

ACTIONS = """
def waits():
    (HERE / "waits").touch()
    while not (HERE / "goes_on").exists():
        time.sleep(0.01)

ACTIONS = {"first": waits, "second": lambda: None}
"""
OPTIONS = ["--epochs", 1]


def in_mid_cell(folder, then, **more):
    """Start a run, do something to it while its first cell waits, and return how it ended and what it said."""
    arguments = command(
        folder / "run", "--plugin", plugin(folder, ACTIONS), *OPTIONS, tasks=["first", "second"]
    )
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    try:
        deadline = time.monotonic() + 120
        while not (folder / "waits").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        then(process)
        (folder / "goes_on").touch()
        output, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, output, errors, arguments


def test_a_killed_server_of_cells_costs_no_cell(tmp_path):
    def kill_server(process):
        for child in psutil.Process(process.pid).children():
            if "multiprocessing.forkserver" in " ".join(child.cmdline()):
                child.kill()

    code, _, errors, _ = in_mid_cell(tmp_path, kill_server)
    assert (code, errors) == (0, "")
    assert {task: record.status for task, record in by_task(tmp_path / "run").items()} == {
        "first": "ok",
        "second": "ok",
    }


def test_without_its_temporary_folder_a_run_stops_in_a_sentence_and_goes_on_with_another(
    tmp_path, short_folder
):
    gone, other = short_folder(), short_folder()
    code, _, errors, arguments = in_mid_cell(
        tmp_path, lambda process: shutil.rmtree(gone), env=os.environ | {"TMPDIR": str(gone)}
    )
    assert code == 2
    sentence = errors.splitlines()[0]
    assert f"The folder for temporary files, {gone}, cannot be used" in sentence
    assert "name another by the environment variable TMPDIR, and give the same command again" in sentence
    kept = (tmp_path / "run" / store.RECORDS).read_bytes()
    assert b"first" in kept
    assert finished(arguments, env=os.environ | {"TMPDIR": str(other)}).returncode == 0
    assert (tmp_path / "run" / store.RECORDS).read_bytes().startswith(kept)


@pytest.mark.parametrize("files", [64, 12])
def test_with_few_open_files_a_run_works_or_says_what_it_lacks(tmp_path, files):
    arguments = command(tmp_path / "run", tasks=["decay"])
    done = finished(arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
    assert done.returncode == 0 or "Too many open files" in done.stderr
    if done.returncode:
        assert done.returncode == 2
        assert "again" in done.stderr
    else:
        assert by_task(tmp_path / "run")["decay"].status == "ok"


def test_a_temporary_folder_with_too_long_a_name_is_refused_in_a_sentence(tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    done = finished(command(tmp_path / "run", tasks=["decay"]), env=os.environ | {"TMPDIR": str(long)})
    assert done.returncode == 2
    assert "cannot be used (AF_UNIX path too long)" in done.stderr
    assert "name another by the environment variable TMPDIR" in done.stderr


def test_of_two_runners_that_start_at_once_one_waits_for_nothing_and_is_refused(tmp_path):
    arguments = command(tmp_path / "run", "--seeds", 2, tasks=["decay"])
    both = [
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=200)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    refused = next(text for text, process in zip(said, both, strict=True) if process.returncode)
    assert "is being written by another `rkbench run`; wait for it, or choose another folder" in refused
    assert store.read(tmp_path / "run").notes == []


CONTEST = """
import sys, time
from pathlib import Path
from rkbench import store
from rkbench.errors import RunError
from rkbench.record import Record

folder, name = Path(sys.argv[1]), sys.argv[2]
won = 0
for round in range(200):
    try:
        with store.opened(folder) as writer:
            writer.mend()
            writer.append(Record(cell_id=f"{name}-{round}", status="ok", message="x" * 5000))
            won += 1
    except RunError:
        pass
    time.sleep(0.001)
print(won)
"""


def test_writers_that_contend_for_a_folder_lose_and_tear_nothing(tmp_path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", CONTEST, str(tmp_path), str(n)], stdout=subprocess.PIPE, text=True
        )
        for n in range(4)
    ]
    won = [int(process.communicate(timeout=100)[0]) for process in writers]
    store.write_manifest(tmp_path, {"plan": []})
    ledger = store.read(tmp_path)
    assert len(ledger.records) == sum(won)
    assert min(won) > 0
    assert ledger.notes == []
    assert not (tmp_path / store.TORN).exists()
