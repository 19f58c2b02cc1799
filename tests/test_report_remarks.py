"""What is known to be wrong with a library stands in the report beside what it measured."""

import pytest
from rich.console import Console
from test_report_example import cell, ok, written

from rkbench.report import account, load, terminal, write

REMARK = "t1: it steps past t1 <b>and back</b>"


@pytest.fixture
def run(tmp_path):
    theirs = [cell(seed=seed, engine="torchdiffeq") for seed in (0, 1)]
    known = {"engine_version": "0.2.5", "engine_remarks": REMARK}
    return written(
        tmp_path / "run",
        [ok(cell()), *(ok(one | {"cell_id": str(i)}, **known) for i, one in enumerate(theirs))],
    )


def test_a_remark_names_library_version_and_rows_once(run):
    (sentence,) = account.remarks(load(run))
    assert sentence == f"Known of torchdiffeq 0.2.5, for euler ×10 · torchdiffeq: {REMARK}."


def test_terminal_markdown_and_page_carry_it(run):
    console = Console(record=True, width=200)
    terminal.show(run, console)
    assert REMARK in console.export_text()
    page_file = write(run)
    assert "it steps past t1" in page_file.with_name("report.md").read_text("utf-8")
    page = page_file.read_text("utf-8")
    assert "it steps past t1 &lt;b&gt;" in page


def test_a_run_of_the_native_engine_has_none(tmp_path):
    page = write(written(tmp_path / "run", [ok(cell())])).read_text("utf-8")
    assert "Known defects" not in page
