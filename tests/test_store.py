"""A run folder loses nothing that was measured, and says what was odd."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkbench import store
from rkbench.errors import RunError
from rkbench.record import COLUMNS, Record


@pytest.fixture
def folder(tmp_path):
    store.write_manifest(tmp_path, {"suite": {"name": "s"}, "plan": []})
    return tmp_path


def record(cell_id, **more):
    return Record(cell_id=cell_id, status="ok", **more)


def appended(folder, *records):
    with store.opened(folder) as writer:
        for each in records:
            writer.append(each)


def test_a_record_comes_back_as_it_was(folder):
    written = record("a", test_accuracy=0.9643, steps=10, curve=[{"epoch": 1, "seconds": 0.5}])
    appended(folder, written)
    assert store.read(folder).records == [written]


def test_a_record_never_holds_nan(folder):
    appended(folder, record("a", train_loss=float("nan"), curve=[{"epoch": 1, "train_loss": float("inf")}]))
    line = json.loads((folder / store.RECORDS).read_text(), parse_constant=pytest.fail)
    assert line["train_loss"] is None
    assert line["curve"][0]["train_loss"] is None


@pytest.mark.parametrize("kept", [1, 20, 200])
def test_a_torn_last_line_is_set_aside_and_told(folder, kept):
    appended(folder, record("a"), record("b"))
    path = folder / store.RECORDS
    content = path.read_bytes()
    first_line = content.index(b"\n") + 1
    path.write_bytes(content[: first_line + kept])
    with store.opened(folder) as writer:
        notes = writer.mend()
    assert len(notes) == 1
    assert "its cell runs again" in notes[0]
    assert [r.cell_id for r in store.read(folder).records] == ["a"]
    assert (folder / store.TORN).read_bytes() == content[first_line : first_line + kept] + b"\n"


def test_a_whole_file_is_not_mended(folder):
    appended(folder, record("a"))
    with store.opened(folder) as writer:
        assert writer.mend() == []


def test_a_repeated_cell_counts_once(folder):
    appended(folder, record("a", seed=1), record("a", seed=2))
    ledger = store.read(folder)
    assert [r.seed for r in ledger.records] == [2]
    assert "repeats cell 'a'" in ledger.notes[0]


@pytest.mark.parametrize(
    "line", ['{"a": 1}', "[]", "null", "{", '{"cell_id": "x", "status": "ok", "evil": 1}', "\x00"]
)
def test_a_foreign_line_is_left_out_and_told(folder, line):
    appended(folder, record("a"))
    with (folder / store.RECORDS).open("a") as file:
        file.write(line + "\n")
    appended(folder, record("b"))
    ledger = store.read(folder)
    assert [r.cell_id for r in ledger.records] == ["a", "b"]
    assert len(ledger.notes) == 1


@given(st.binary())
def test_no_bytes_break_the_reader(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("run")
    store.write_manifest(folder, {})
    (folder / store.RECORDS).write_bytes(content)
    store.read(folder)


def test_a_second_writer_is_refused(folder):
    with store.opened(folder), pytest.raises(RunError, match="another `rkbench run`"), store.opened(folder):
        pass


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="is not a run"):
        store.read(tmp_path)


def test_every_column_is_documented():
    assert all(COLUMNS.values())


def test_a_retried_cell_counts_as_it_ended_last(folder):
    appended(folder, Record(cell_id="a", status="timeout"), record("a"))
    ledger = store.read(folder)
    assert [r.status for r in ledger.records] == ["ok"]
    assert ledger.notes == []


def test_what_was_measured_is_found_without_a_manifest(folder):
    appended(folder, record("a", engine_version="1.2"))
    (folder / store.MANIFEST).unlink()
    assert store.outcomes(folder, {"a": record("a"), "b": record("b")}) == {"a": store.Outcome("ok", "1.2")}


def test_a_record_of_another_point_of_the_matrix_is_none_of_its_cell(folder):
    appended(folder, record("a", seed=1))
    assert store.outcomes(folder, {"a": record("a", seed=2)}) == {}


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from rkbench import store
from rkbench.errors import RunError
from rkbench.record import Record

folder = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with store.opened(folder) as writer:
    writer.append(Record(cell_id="a", status="ok"))
    size = (folder / store.RECORDS).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, size + 500))
    for write in (
        lambda: writer.append(Record(cell_id="b", status="ok", message="x" * 2000)),
        lambda: store.write_manifest(folder, {"plan": [], "big": "x" * 100_000}),
    ):
        try:
            write()
        except RunError as error:
            print(error)
"""


def test_a_full_disk_loses_nothing_that_was_measured(folder):
    """A limit on the size of files refuses the write in its middle, as a full disk does."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("every cell measured before is kept") == 2
    ledger = store.read(folder)
    assert ([r.cell_id for r in ledger.records], ledger.notes) == (["a"], [])
    assert (folder / store.RECORDS).read_bytes().endswith(b"\n")


@pytest.mark.parametrize("text", ["[]", "3", '{"plan": [{}]}', '{"plan": [3]}', "{", "\x00"])
def test_a_manifest_that_is_none_is_refused(folder, text):
    (folder / store.MANIFEST).write_text(text)
    with pytest.raises(RunError, match=r"restore it or start a new run"):
        store.read(folder)
