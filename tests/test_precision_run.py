"""A run of initial value problems: real processes, skipped engines, and a report that trains nothing."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

import rkbench.report
from rkbench import store, suite
from rkbench.cli import main

SUITE = """
title = "Two problems"
baseline = "dopri5"
tasks = ["decay", "sine"]
dtype = "float64"
seeds = 1
[[solvers]]
method = "rk4"
steps = [10, 40]
[[solvers]]
method = "dopri5"
rtol = [1e-3, 1e-6, 1e-9]
controller = "i"
engine = ["rkbench", "absent"]
"""

PLUGIN = """
import pathlib
from rkbench import NativeEngine, hookimpl

HERE = pathlib.Path(__file__).with_name("installed")

class Absent(NativeEngine):
    name = "absent"

    def unavailable(self):
        return None if HERE.exists() else "absent is not installed; install it."

    def unsupported(self, solver):
        return self.unavailable()

@hookimpl
def rkbench_engines():
    return [Absent()]
"""


def run(folder):
    """Run the command line here, with its cells in processes of their own; return its exit code and its output."""
    command = ["run", folder / "two.toml", "--plugin", folder / "absent.py", "--out", folder / "run"]
    with redirect_stdout(StringIO()) as output, pytest.raises(SystemExit) as ended:
        main([str(word) for word in command])
    return ended.value.code, output.getvalue()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("precision")
    (folder / "two.toml").write_text(SUITE)
    (folder / "absent.py").write_text(PLUGIN)
    return folder, run(folder)


def test_every_cell_has_its_error_and_its_time(done):
    folder, (code, _) = done
    assert code == 0
    records = store.read(folder / "run").records
    assert len(records) == 2 * (2 + 2 * 3)
    solved = [record for record in records if record.engine == "rkbench"]
    assert {record.status for record in solved} == {"ok"}
    assert all(record.solution_error < 0.02 and record.solve_seconds > 0 for record in solved)
    assert all(record.timing_valid for record in solved)


def test_an_engine_that_is_not_installed_is_skipped_with_its_reason_and_is_no_failure(done):
    folder, (_, output) = done
    skipped = [record for record in store.read(folder / "run").records if record.engine == "absent"]
    assert {(r.status, r.message) for r in skipped} == {("skipped", "absent is not installed; install it.")}
    assert "6 cells of the engine absent skipped: absent is not installed" in output.replace("\n", " ")
    assert "16 cells planned, 10 run, 0 failed, 6 skipped" in output


def test_the_report_compares_at_equal_error_and_shows_no_training(done):
    folder, (_, output) = done
    report = (folder / "run" / "report" / "report.md").read_text()
    for text in (output, report):
        assert "solved decay and sine" in text
        assert "training time" not in text
        assert "test accuracy, %" not in text
    assert "NFE to 1e-6" in report
    figures = {path.name for path in (folder / "run" / "report" / "figures").iterdir()}
    assert {f"precision_{x}.{kind}" for x in ("nfe", "time") for kind in ("png", "svg", "pdf")} <= figures
    assert not any(name.startswith(("loss", "accuracy", "pareto")) for name in figures)


def test_the_page_shows_every_ladder(done):
    folder, _ = done
    page = (folder / "run" / "report" / "index.html").read_text()
    assert page.count(">dopri5 · rkbench<") >= 2
    assert page.count(">rk4 · rkbench<") >= 2


def test_a_run_is_compared_with_itself_without_empty_columns(done, capsys):
    folder, _ = done
    rkbench.report.show_compare(folder / "run", folder / "run")
    shown = capsys.readouterr().out
    assert "training time" not in shown
    assert "error" in shown


def test_once_the_engine_is_installed_its_cells_run_and_no_others(done):
    folder, _ = done
    before = store.read(folder / "run").records
    (folder / "installed").touch()
    try:
        assert run(folder)[0] == 0
    finally:
        (folder / "installed").unlink()
    records = {record.cell_id: record for record in store.read(folder / "run").records}
    assert len(records) == len(before)
    assert {record.status for record in records.values()} == {"ok"}
    assert all(records[r.cell_id] == r for r in before if r.status == "ok")
    plan = json.loads((folder / "run" / "manifest.json").read_text())["plan"]
    assert {cell["unavailable"] for cell in plan} == {""}


def test_the_built_in_suite_asks_every_engine_of_it_for_double_precision():
    precision = suite.load("precision")
    assert precision.dtype == "float64"
    assert {axis.controller for axis in precision.solvers} == {(), ("i",)}
