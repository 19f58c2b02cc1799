"""Damaged and foreign records: each line is a record with true types, or is left out and told; nothing else happens."""

import json
import os
import random
import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_report_example import cell, ok, three_solvers

from rkbench import journal, report, store
from rkbench.errors import RunError
from rkbench.record import NESTED, Record

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)

LINE = ok(
    cell(),
    looks=[{"by_method": "euler", "by_steps": 10, "accuracy": 0.5}],
    trace=[{"t": 0.0, "h": 0.5, "rejected": 1}],
)
ROW = json.loads(LINE.to_json())
KINDS = {"str": str, "bool": bool, "int": int, "float": (int, float)}

numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([2**53, 2**63, 10**400, 1e308, -1, 7]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def read(*lines):
    """Return the records and notes of lines."""
    notes = []
    return list(journal.parsed(lines, notes)), notes


@quick
@given(st.sampled_from(sorted(ROW)), values)
def test_a_column_of_any_value_is_of_its_type_or_its_line_is_left_out(name, value):
    line = json.dumps(ROW | {name: value}).encode() + b"\n"
    records, notes = read(line)
    assert len(records) + len(notes) == 1
    for record in records:
        for field in fields(Record):
            declared, _, empty = str(field.type).partition(" | ")
            held = getattr(record, field.name)
            if field.name in NESTED:
                assert all(isinstance(row, dict) for row in held)
            else:
                assert (empty and held is None) or type(held) is KINDS[declared] or type(held) in (int, float)


WRONG = [
    ("test_accuracy", "0.9"), ("test_accuracy", 7), ("test_accuracy", -0.1), ("seed", [1]), ("seed", True), ("seed", 1.0),
    ("seed", None), ("nfe_forward", -1), ("train_seconds", -1e-9), ("train_seconds", "inf"), ("status", "okay"), ("status",
    None),
    ("experiment", "other"), ("curve", ["a", "b"]), ("curve", {"epoch": 1}), ("curve", [{"epoch": "1"}]),
    ("curve", [{"seconds": 1.0}]),
    ("curve", [{"epoch": 1, "test_accuracy": 1.5}]), ("trace", [{"t": 0.0}]), ("trace", [{"t": 0.0, "h": None,
    "rejected": 0}]),
    ("looks", [{"by_method": 3}]), ("timing_valid", 1), ("parameters", 2**63), ("method", 5), ("cell_id", ""), ("new", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_in_a_known_column_leaves_the_line_out(name, value):
    records, notes = read(json.dumps(ROW | {name: value}).encode())
    assert records == []
    assert len(notes) == 1
    assert "was left out; its cell counts as not run" in notes[0]


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1" + "0" * 5000])
def test_a_number_beyond_all_numbers_leaves_the_line_out(literal):
    line = LINE.to_json().replace('"train_seconds": 2.0', f'"train_seconds": {literal}')
    assert literal in line
    assert read(line.encode())[0] == []


SHORT = [f'{{"cell_id": "{name}", "status": "ok", "seed": 12}}\n'.encode() for name in "abc"]


@pytest.mark.parametrize("size", range(sum(map(len, SHORT)) + 1))
def test_a_file_cut_at_any_byte_keeps_every_whole_record(tmp_path, size):
    store.write_manifest(tmp_path, {"plan": []})
    (tmp_path / store.RECORDS).write_bytes(b"".join(SHORT)[:size])
    whole = sum(
        size >= (n + 1) * len(SHORT[0]) - 1 for n in range(3)
    )  # the end of the line is no part of the record
    assert len(store.read(tmp_path).records) == whole
    with store.opened(tmp_path) as writer:
        writer.mend()
        writer.append(LINE)
    ledger = store.read(tmp_path)
    assert [record.cell_id for record in ledger.records] == [*"abc"[:whole], LINE.cell_id]
    assert ledger.notes == []


@pytest.mark.parametrize(
    "line",
    [
        b"\xef\xbb\xbf" + LINE.to_json().encode(),
        b"\xff\xfe{}",
        b"\0" * 100,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"cell_id": "x"',
    ],
    ids=["BOM", "UTF-16", "NUL", "lists in lists", "objects in objects", "torn"],
)
def test_a_line_that_is_no_text_of_json_is_left_out(line):
    records, notes = read(line + b"\n", LINE.to_json().encode())
    assert records == [LINE]
    assert len(notes) == 1


def test_ends_of_lines_from_elsewhere_are_ends_of_lines():
    assert read(LINE.to_json().encode() + b"\r\n", b"\r\n", b" \n") == ([LINE], [])


def test_the_order_of_lines_changes_nothing(tmp_path):
    folder = three_solvers(tmp_path / "run")
    before = report.load(folder).cells
    lines = (folder / store.RECORDS).read_text().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    (folder / store.RECORDS).write_text("".join(lines))
    assert report.load(folder).cells.equals(before)


def test_a_line_of_a_hundred_megabytes_is_left_out_piece_by_piece(tmp_path):
    folder = three_solvers(tmp_path / "run", seeds=1)
    with (folder / store.RECORDS).open("ab") as file:
        file.write(b'{"cell_id": "x", "message": "')
        file.truncate(100 * 2**20)  # zeros that take no room on the disk
        file.seek(0, 2)
        file.write(b'"}\n' + LINE.to_json().encode() + b"\n")
    ledger = store.read(folder)
    assert len(ledger.records) == 3
    assert len(ledger.notes) == 2  # and the example's cell comes twice
    assert "longer than 16 MiB" in ledger.notes[0]


def test_many_odd_lines_are_counted_and_not_listed():
    records, notes = read(*[b"{}\n"] * 1000, LINE.to_json().encode())
    assert len(records) == 1
    assert len(notes) == journal.MOST_NOTES + 1
    assert notes[-1].startswith("And 950 more lines")


def test_a_record_that_contradicts_its_plan_is_none_of_it(tmp_path):
    folder = three_solvers(tmp_path / "run")
    lines = (folder / store.RECORDS).read_text().splitlines()
    lines[0] = json.dumps(json.loads(lines[0]) | {"method": "rk4"})
    (folder / store.RECORDS).write_text("\n".join(lines) + "\n")
    results = report.load(folder)
    assert (results.cells["message"] == "not run yet").sum() == 1
    assert any("not what the plan calls so" in note for note in results.notes)


def test_a_cell_that_nobody_planned_is_left_out(tmp_path):
    folder = three_solvers(tmp_path / "run")
    with store.opened(folder) as writer:
        writer.append(ok(cell("heun", 7)))
    results = report.load(folder)
    assert len(results.cells) == 9
    assert any("not in the plan" in note for note in results.notes)


@pytest.mark.parametrize("name", [store.RECORDS, store.MANIFEST])
def test_a_folder_in_place_of_a_file_is_refused(tmp_path, name):
    folder = three_solvers(tmp_path / "run", seeds=1)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(RunError, match="is a folder, which no run makes of it"):
        report.load(folder)
    with pytest.raises(RunError, match="is a folder"), store.opened(folder):
        pass


@pytest.mark.parametrize("name", [store.RECORDS, store.MANIFEST])
def test_an_empty_file_is_nothing_run_or_no_run(tmp_path, name):
    folder = three_solvers(tmp_path / "run", seeds=1)
    (folder / name).write_bytes(b"")
    if name == store.RECORDS:
        assert set(report.load(folder).cells["message"]) == {"not run yet"}
    else:
        with pytest.raises(RunError, match="not the manifest of a run"):
            report.load(folder)


@pytest.mark.faults
def test_a_run_that_is_resumed_measures_again_what_is_no_record(tmp_path, short_folder):
    command = [
        sys.executable,
        "-m",
        "rkbench.cli",
        "run",
        "quick",
        "--seeds",
        "2",
        "--epochs",
        "1",
        "--method",
        "euler",
    ]
    command += ["--out", str(tmp_path / "run"), "--json"]
    environment = os.environ | {"TMPDIR": str(short_folder())}

    def run():
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    first = run()
    file = tmp_path / "run" / store.RECORDS
    lines = file.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    wrong = {rows[0]["cell_id"]: {"test_accuracy": "0.9"}, rows[1]["cell_id"]: {"seed": 7}}
    spoilt = [
        *(json.dumps(row | wrong.get(row["cell_id"], {})) for row in rows),  # every measurement of two cells
        "\0" * 50,
        "[" * 5000,
    ]
    file.write_text("\ufeff\n" + "\n".join(spoilt) + "\n{torn")
    again = run()
    assert again.keys() == first.keys()
    records = store.read(tmp_path / "run").records
    planned = {one["cell_id"]: one for one in store.read_manifest(tmp_path / "run")["plan"]}
    assert {record.cell_id for record in records} == set(planned)
    assert all(record.seed == planned[record.cell_id]["seed"] for record in records)
