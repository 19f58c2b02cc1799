"""A runner that is killed twenty times at random moments loses no record, doubles none, and leaves nothing behind."""

import os
import random
import subprocess
import time
from collections import Counter

import pytest
from faulty import command, finished, marked

from rkbench import journal, store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

KILLS = 20
OPTIONS = ["--method", "rk4", "--steps", 5, "--steps", 10, "--steps", 20, "--seeds", 2]
MARKER = f"RKBENCH_TEST_KILLS={os.getpid()}"


def kill(arguments, environment, chance, number):
    """Start a run and kill it: every third within its first two seconds, the others once cells are measured."""
    process = subprocess.Popen(
        [*arguments, "--jobs", str(1 + number % 2)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        if number % 3:
            for line in process.stdout:
                if "cells" in line:
                    break
        time.sleep(chance.uniform(0, 2))
    finally:
        process.kill()
        process.communicate()


def whole_lines(file):
    content = file.read_bytes() if file.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def gone(marker):
    deadline = time.monotonic() + 10
    while marked(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not marked(marker)


def test_twenty_kills_lose_nothing_double_nothing_and_leave_nothing(tmp_path, short_folder):
    out, temporary = tmp_path / "run", short_folder()
    environment = os.environ | dict([MARKER.split("=")]) | {"TMPDIR": str(temporary)}
    arguments, chance = command(out, *OPTIONS, tasks=["decay"]), random.Random(6)
    kept, grew = b"", 0
    for number in range(KILLS):
        kill(arguments, environment, chance, number)
        assert gone(MARKER), "the killed runner left processes behind"
        now = whole_lines(out / store.RECORDS)
        assert now.startswith(kept), "a record that was on the disk has changed"
        grew, kept = grew + (now != kept), now
    assert grew, "no kill came after a record"
    assert finished([*arguments, "--jobs", "1"], env=environment).returncode == 0
    assert whole_lines(out / store.RECORDS).startswith(kept)

    ledger = store.read(out)
    first = Counter(record.cell_id for record in every_record(out) if record.attempt == 1)
    assert first == dict.fromkeys((cell["cell_id"] for cell in ledger.manifest["plan"]), 1)
    assert {record.status for record in ledger.records} == {"ok"}
    assert ledger.notes == []

    assert {path.name for path in out.iterdir()} - {store.TORN} == {
        store.MANIFEST,
        store.RECORDS,
        store.LOCK,
        "report",
    }
    left = [path.name for path in temporary.iterdir() if not path.name.startswith("torchinductor")]
    left.remove("rkbench-turns.lock")
    assert len(left) <= 1, (
        left
    )  # who is killed in the instant between making a folder and a process leaves the folder


def every_record(out):
    """Return the records of all lines, those that a later one replaces included."""
    return [journal.read(line) for line in (out / store.RECORDS).read_bytes().splitlines()]
