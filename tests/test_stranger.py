"""A run folder of a stranger is safe to open: it runs no code, writes nowhere else, and keeps nobody waiting."""

import ast
import json
import os
import pickle
import socket
import time
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_report_example import cell, ok, three_solvers, written

from rkbench import checkpoints, plainfiles, report, store
from rkbench.errors import RunError
from rkbench.report import account, cache, reading

ROOT = Path(__file__).parents[1]
CODE = sorted([*(ROOT / "bench").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])

UNPICKLES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "jsonpickle"}
"""Modules whose reading runs what is written."""

RUNS = {
    ".eval", ".exec", ".compile", ".__import__", "os.system", "os.popen", "pd.eval", "pd.read_pickle", "df.eval", "yaml.load",
    "torch.load", "np.load", "loader.exec_module",
}  # fmt: skip
"""Functions that run what they are given, or might."""

EXPLAINED = {("registry.py", "loader.exec_module")}
"""A single-file plugin, which its user names on the command line, is code and is run."""


def called(function):
    """Return the last two names of what is called, such as ``os.system``; without an owner, ``.eval``."""
    if isinstance(function, ast.Attribute):
        owner = function.value
        return f"{getattr(owner, 'attr', getattr(owner, 'id', '?'))}.{function.attr}"
    return f".{getattr(function, 'id', '?')}"


def imported(node):
    """Return the packages that a statement imports from."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {name.partition(".")[0] for name in names}


def test_no_module_can_run_what_it_reads():
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert not UNPICKLES & imported(node), file
            if isinstance(node, ast.Call) and called(node.func) in RUNS:
                assert (file.name, called(node.func)) in EXPLAINED, f"{file}, line {node.lineno}"


def outside(folder):
    """Return everything beside a run folder, with the time of its last change."""
    return {
        str(path): path.lstat().st_mtime_ns
        for path in folder.parent.rglob("*")
        if folder not in path.parents and path != folder
    }


def make(path, kind, target):
    """Put a link, a pipe or a socket into a folder."""
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        path.rename(path.with_name("moved"))
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(target)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.path.relpath(path))


PLACES = [*plainfiles.FILES, *plainfiles.FOLDERS, ".cache/cells.parquet", "checkpoints/0-1.state.partial"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["link", "pipe", "socket"])
def test_a_link_a_pipe_or_a_socket_is_refused_at_once(tmp_path, monkeypatch, kind, place):
    monkeypatch.chdir(tmp_path)
    folder = three_solvers(tmp_path / "run", seeds=1)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file.state").write_text("mine")
    make(folder / place, kind, tmp_path / "precious")
    before, began = outside(folder), time.monotonic()
    with pytest.raises(RunError, match=f"is a {kind}, which no run makes of it"):
        report.load(folder)
    with pytest.raises(RunError, match=f"is a {kind}"), store.opened(folder):
        pass
    assert time.monotonic() - began < 5
    assert outside(folder) == before


UP = "../../up"


def test_no_name_in_a_run_leads_out_of_its_folder(tmp_path):
    folder = tmp_path / "a" / "b" / "run"
    folder.parent.mkdir(parents=True)
    planned = [
        cell(UP, seed, task=UP) | {"cell_id": f"{UP}{seed}", "dataset": UP, "plugin": UP} for seed in range(3)
    ]
    written(folder, [ok(one) for one in planned], suite={"name": UP, "title": UP, "baseline": UP})
    before = outside(folder)
    page = report.write(folder)
    checkpoints.sweep(folder, {f"{UP}{seed}" for seed in range(3)})
    checkpoints.tidy(folder)
    assert page == folder / "report" / "index.html"
    assert {path for path in outside(folder).items() if not Path(path[0]).is_dir()} == {
        path for path in before.items() if not Path(path[0]).is_dir()
    }
    assert all(path.is_relative_to(folder) for path in (tmp_path.rglob("*.tex")))


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("name", ["manifest.json", "records.jsonl", ".cache/cells.parquet"])
def test_a_pickle_in_place_of_a_file_runs_nothing(tmp_path, name):
    folder = three_solvers(tmp_path / "run", seeds=1)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    if name == "manifest.json":
        with pytest.raises(RunError):
            report.load(folder)
    else:
        report.load(folder)
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_or_a_flipped_bit_in_a_checkpoint_is_not_believed(tmp_path):
    file = tmp_path / "checkpoints" / "0-1.state"
    checkpoints.write(file, {"owner": {}}, [b"weights"])
    whole = file.read_bytes()
    assert checkpoints.read(file)[0] == {"owner": {}}
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        file.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"no checkpoint|damaged"):
            checkpoints.read(file)
    file.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(ValueError, match="no checkpoint"):
        checkpoints.read(file)
    assert not (tmp_path / "exploded").exists()


def forged(folder, **changed):
    """Return the tables of a cache that names the right checksums, with other cells in it."""
    read = reading.recorded(folder)
    tables = {"cells": read.cells.assign(**changed)} | read.points
    cache.put(folder, sha256((folder / store.RECORDS).read_bytes()).hexdigest(), tables, [])
    return tables


@pytest.mark.parametrize(
    "changed", [{"train_seconds": float("inf")}, {"message": "\x1b]0;x\x07"}, {"host": "\u202e"}]
)
def test_a_forged_cache_holds_nothing_that_records_could_not(tmp_path, monkeypatch, changed):
    folder = three_solvers(tmp_path / "run", seeds=1)
    monkeypatch.setattr(cache, "SMALLEST", 0)
    forged(folder, **changed)
    name, value = next(iter(changed.items()))
    assert value not in set(reading.recorded(folder).cells[name])


def test_a_cache_that_unpacks_to_more_rows_than_there_are_bytes_is_not_read(tmp_path, monkeypatch):
    folder = three_solvers(tmp_path / "run", seeds=1)
    monkeypatch.setattr(cache, "SMALLEST", 0)
    forged(folder)
    file = folder / cache.CACHE / "trace.parquet"
    about = pq.read_schema(file).metadata
    rows = pa.table({name: pa.nulls(10**6, pa.float64()) for name in ("t", "h", "rejected")}).append_column(
        "cell_id", pa.nulls(10**6, pa.string())
    )
    pq.write_table(rows.replace_schema_metadata(about), file)
    assert file.stat().st_size < 20_000
    assert reading.recorded(folder).points["trace"].empty


def test_what_a_manifest_would_have_typed_cannot_hide_a_command(tmp_path):
    folder = three_solvers(tmp_path / "run", seeds=1)
    manifest = json.loads((folder / store.MANIFEST).read_text())
    manifest |= {
        "commit": "abc; touch exploded",
        "command": "rkbench run\ntouch exploded",
        "versions": {"torch": "2; touch exploded"},
    }
    (folder / store.MANIFEST).write_text(json.dumps(manifest))
    lines = account.reproduction(report.load(folder))
    assert lines == [
        "git checkout 'abc; touch exploded'",
        "pip install . 'torch==2; touch exploded'",
        "rkbench run touch exploded",
    ]
