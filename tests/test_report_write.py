"""The report folder: whole or not at all, the same every time, and safe against what strangers wrote."""

import re
from pathlib import Path

import pandas as pd
import pytest
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import report
from rkbench.errors import RunError
from rkbench.report import figures, markdown

FIGURES = ("loss", "accuracy", "time", "nfe", "pareto", "profiles_training")
FILES = {
    "index.html", "report.md", "tables/digits.tex", "traces.parquet",
    *(f"{name}.{kind}" for name in ("summary", "cells", "replicas", "epochs", "looks", "signals") for kind in ("csv", "parquet")),
    *(f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "svg", "pdf")),
}  # fmt: skip
NASTY = "<script>alert(1)</script> | *x* $a_1$ [red] `q`"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = three_solvers(tmp_path_factory.mktemp("runs") / "run")
    report.write(run)
    return run


def test_a_report_has_all_its_files_and_leaves_none_beside_it(run):
    assert set(files(run / "report")) == FILES
    assert {path.name for path in run.iterdir()} == {"manifest.json", "records.jsonl", ".lock", "report"}


def test_the_same_records_give_the_same_report(run):
    before = files(run / "report")
    assert report.write(run) == run / "report" / "index.html"
    assert files(run / "report") == before


def test_a_failure_leaves_the_old_report(run, monkeypatch):
    before = files(run / "report")
    monkeypatch.setattr(
        markdown, "render", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(RunError, match="No space left on device"):
        report.write(run)
    assert files(run / "report") == before
    assert {path.name for path in run.iterdir()} == {"manifest.json", "records.jsonl", ".lock", "report"}


def test_the_page_needs_nothing_from_elsewhere(run):
    page = (run / "report" / "index.html").read_text()
    assert not re.search(r'<link|<img|<script src|@import|(?:href|src)="(?!#)', page)
    assert set(re.findall(r"https?://[\w.]+", page)) <= {"http://www.w3.org"}  # the namespace of SVG


def test_no_two_figures_of_the_page_share_an_id(run):
    ids = re.findall(r'\bid="([^"]+)"', (run / "report" / "index.html").read_text())
    assert len(ids) == len(set(ids))


def test_figures_in_the_page_follow_its_theme(run):
    page = (run / "report" / "index.html").read_text()
    assert figures.INK not in page[page.index("<svg") :]
    assert figures.INK in (run / "report" / "figures" / "loss.svg").read_text()


def test_parquet_and_csv_hold_the_frames(run):
    cells = report.load(run).cells
    pd.testing.assert_frame_equal(pd.read_parquet(run / "report" / "cells.parquet"), cells)
    assert len(pd.read_csv(run / "report" / "epochs.csv")) == 18


def test_figures_as_pdf_embed_their_fonts_as_outlines_and_no_date(run):
    for name in FIGURES:
        pdf = (run / "report" / "figures" / f"{name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF-")
        assert b"/FontFile2" in pdf
        assert b"/Type3" not in pdf
        assert b"/CreationDate" not in pdf


def test_markdown_links_the_figures_and_shows_intervals(run):
    text = (run / "report" / "report.md").read_text()
    assert "(figures/accuracy.png)" in text
    assert "22.0 [20.0–24.0]" in text


def test_what_a_plugin_wrote_is_shown_as_it_is(tmp_path):
    run = written(tmp_path / "run", [ok(cell(NASTY)), failed(cell(NASTY, 1), message=NASTY)])
    page = report.write(run).read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | *x* $a_1$ [red] `q` ×10" in page
    text = (run / "report" / "report.md").read_text()
    assert r"\<script\>alert(1)\</script\> \| \*x\* \$a\_1\$ \[red\] \`q\`" in text


def test_a_line_break_in_a_message_does_not_break_a_markdown_table():
    assert markdown.escape("one\n| two") == r"one \| two"


ODD = {
    "one seed": lambda: [ok(cell())],
    "all failed": lambda: [failed(cell("euler", seed)) for seed in range(3)],
    "no curve": lambda: [ok(cell(), epochs=0)],
    "a curve with gaps": lambda: [
        ok(cell(), curve=[{"epoch": 1, "seconds": 1.0}, {"epoch": 2, "seconds": 1.0, "train_loss": None}])
    ],
    "loss of zero": lambda: [
        ok(cell(), curve=[{"epoch": 1, "seconds": 0.0, "train_loss": 0.0, "test_accuracy": 1.0}])
    ],
    "a perfect score": lambda: [ok(cell(seed=s), accuracy=1.0, target=1.0) for s in range(2)],
    "no accuracy": lambda: [ok(cell(), accuracy=0.0)],
    "many long names": lambda: [ok(cell(f"{'very_long_' * 6}{n}"), 10.0 ** (n % 5)) for n in range(16)],
    "strange letters": lambda: [ok(cell("_龙格_库塔"))],
    "two tasks": lambda: [ok(cell(task=task)) for task in ("a", "b")],
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_run_still_has_a_report(tmp_path, case):
    page = report.write(written(tmp_path / "run", ODD[case]())).read_text()
    assert "How it was measured" in page


def test_a_run_that_has_not_begun_has_a_report_without_figures(tmp_path):
    page = report.write(written(tmp_path / "run", [], [cell()])).read_text()
    assert "No figures" in page
    assert "1 cell planned, 0 run, 0 failed, 1 not run yet" in page
