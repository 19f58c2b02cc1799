"""A disk that is full, really, or read-only: nothing that was measured is lost, and with room again all goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

MOUNTED = ["unshare", "--user", "--map-root-user", "--mount"]

SCRIPT = """
import contextlib, io, json, os, subprocess, sys
from pathlib import Path

from rkbench import checkpoints, store
from rkbench.cli import main
from rkbench.errors import RunError
from rkbench.record import Record

SMALL = Path(sys.argv[1])
RUN, FILLER = SMALL / "run", SMALL / "filler"
COMMAND = ["run", "--task", "decay", "--method", "euler", "--out", str(RUN), "--seeds"]
found = {}

def mount(*options):
    subprocess.run(["mount", *options, str(SMALL)], check=True)

def fill(left):
    \"\"\"Leave so many bytes of the disk.\"\"\"
    with FILLER.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        file.truncate(max(0, file.tell() - left))

def told(action):
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            action()
            code = 0
        except SystemExit as end:
            code = end.code
        except RunError as error:
            code = str(error)
    return code, errors.getvalue()

def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}

def record(name):
    return Record(cell_id=name, status="ok", experiment="solving")

mount("-t", "tmpfs", "-o", "size=24m", "none")
found["run"] = told(lambda: main([*COMMAND, "1"]))[0]
before, report = content(RUN), content(RUN / "report")
found["first cells"] = len(store.read(RUN).records)

fill(4096)
found["no room to begin"] = told(lambda: main([*COMMAND, "2"]))
found["records kept"] = content(RUN)["records.jsonl"] == before["records.jsonl"]

found["no room for a report"] = told(lambda: main(["report", str(RUN)]))
found["report kept"] = content(RUN / "report") == report
found["beside the report"] = sorted(path.name for path in RUN.iterdir() if path.name.startswith(".report"))

FILLER.unlink()
found["room again"] = told(lambda: main([*COMMAND, "2"]))[0]
found["cells"] = [one.status for one in store.read(RUN).records]
found["files"] = sorted(path.name for path in RUN.iterdir())

other = SMALL / "other"
with store.opened(other) as writer:
    store.write_manifest(other, {"plan": []})
    manifest = (other / "manifest.json").read_bytes()
    writer.hold_reserve()
    writer.append(record("a"))
    checkpoints.write(other / "checkpoints" / "x-1.state", {"n": 1}, [b"1"])
    fill(0)
    found["last record"] = told(lambda: writer.append(record("b" * 5000)))[0]
    fill(0)
    found["one more"] = told(lambda: writer.append(record("c" * 5000)))[0]
    found["manifest"] = told(lambda: store.write_manifest(other, {"plan": [], "command": "x" * 10**6}))[0]
    found["manifest kept"] = (other / "manifest.json").read_bytes() == manifest
    try:
        checkpoints.write(other / "checkpoints" / "x-1.state", {"n": 2}, [b"2" * 10**6])
    except OSError as error:
        found["checkpoint"] = error.strerror
    found["checkpoint kept"] = checkpoints.read(other / "checkpoints" / "x-1.state")[0]
    found["left"] = sorted(path.name for path in other.rglob("*"))
    FILLER.unlink()
    writer.append(record("d"))
found["appended"] = [one.cell_id[0] for one in store.read(other).records]

mount("-o", "remount,ro")
found["run read-only"] = told(lambda: main([*COMMAND, "2"]))
found["report read-only"] = told(lambda: main(["report", str(RUN)]))
print(json.dumps(found))
"""
GOES_ON = "give the same command again; every cell measured before is kept"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of every fault, on a small file system that only one process sees."""
    small = tmp_path_factory.mktemp("small")
    try:
        subprocess.run([*MOUNTED, "mount", "-t", "tmpfs", "none", small], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system does not let its users mount a file system of their own")
    command = [*MOUNTED, sys.executable, "-c", SCRIPT, str(small)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_that_finds_no_room_measures_nothing_and_says_so(found):
    code, errors = found["no room to begin"]
    assert code == 2
    assert "No space left on device" in errors
    assert GOES_ON in errors
    assert found["records kept"]


def test_with_room_again_the_same_command_goes_on(found):
    assert (found["run"], found["room again"]) == (0, 0)
    assert set(found["cells"]) == {"ok"}
    assert len(found["cells"]) > found["first cells"]
    assert found["files"] == [".lock", "manifest.json", "records.jsonl", "report"]


def test_a_report_without_room_leaves_the_old_one_whole(found):
    code, errors = found["no room for a report"]
    assert code == 2
    assert errors.count("\n") == 1
    assert "cannot be written (No space left on device); free some space" in errors
    assert found["report kept"]
    assert found["beside the report"] == []


def test_the_record_in_hand_finds_room_that_was_held_for_it(found):
    assert GOES_ON + ", this last one included." in found["last record"]
    assert found["one more"].endswith(GOES_ON + ".")
    assert found["appended"] == ["a", "b", "d"]


def test_manifest_and_checkpoint_stay_as_they_were(found):
    assert GOES_ON in found["manifest"]
    assert found["manifest kept"]
    assert found["checkpoint"] == "No space left on device"
    assert found["checkpoint kept"] == {"n": 1}
    assert found["left"] == [".lock", "checkpoints", "manifest.json", "records.jsonl", "x-1.state"]


def test_a_read_only_folder_is_refused_in_a_sentence(found):
    code, errors = found["run read-only"]
    assert code == 2
    assert "cannot be written (Read-only file system); choose another folder with --out" in errors
    code, errors = found["report read-only"]
    assert code == 2
    assert "cannot be written (Read-only file system)" in errors
