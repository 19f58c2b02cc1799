"""A report of very many cells stays one that a person can read, says what it leaves out, and is not made twice."""

import gc
import io
import re
import shutil
import tracemalloc

import browser
import many_cells
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from test_report_example import cell, ok, three_solvers

from rkbench import journal, report, store
from rkbench.report import cache, extent, figures, latex, opening, overview, page, reading, tables

TASKS = extent.TASKS + 1
CELLS = 2700
"""A seed of each solver on each task, and a little more."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return many_cells.write(tmp_path_factory.mktemp("runs") / "run", CELLS, TASKS)


@pytest.fixture(scope="module")
def many(run):
    return report.load(run)


@pytest.fixture(scope="module")
def written(run, many):
    """Return the page, without figures, which are bounded by what they hold and take their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw", lambda _: iter(()))
        return report.write(run, many)


@pytest.fixture(scope="module")
def text(written):
    return written.read_text(encoding="utf-8")


def test_the_page_has_hundreds_of_rows_not_one_per_solver_and_task(text, many):
    over_all = sum(len(one.rows) for one in tables.of(many) if not one.folded)
    known = len(many.cells[["task", "solver"]].drop_duplicates())
    assert known > extent.ALL_ROWS
    assert extent.ROWS < text.count("<tr data-name") - over_all <= extent.ALL_ROWS
    assert over_all <= overview.MOST + extent.ROWS
    assert len(text) < 3_000_000


def test_four_times_the_cells_make_a_page_hardly_larger(tmp_path, monkeypatch):
    monkeypatch.setattr(extent, "TASKS", 3)
    monkeypatch.setattr(extent, "ALL_ROWS", 100)
    runs = [report.load(many_cells.write(tmp_path / str(cells), cells, 4)) for cells in (500, 2000)]
    few, many = (page.render(results, [], {}) for results in runs)
    assert few.count("<tr") > 100
    assert many.count("<tr") < 1.2 * few.count("<tr")
    assert len(many) < 1.2 * len(few)


def test_tables_over_all_tasks_come_before_those_of_each_which_are_folded(many):
    found = tables.of(many)
    assert [one.folded for one in found] == sorted(one.folded for one in found)
    assert [one.title for one in found if not one.folded] == [
        f"All {TASKS // 2} training tasks",
        "All 7 initial value problems",
    ]


def test_every_table_that_is_cut_says_how_many_rows_it_shows_of_how_many(many, text):
    planned = many.cells.groupby("task")["solver"].nunique()
    cut = [one for one in tables.of(many) if one.left_out]
    assert len(cut) == TASKS // 2
    for one in cut:
        shown, known = map(int, re.findall(r"\d+", one.left_out)[:2])
        assert (shown, known) == (len(one.rows), planned[one.task])
        assert one.left_out in latex.render(one, "stem", many)
    assert text.count(cut[0].left_out) == len(cut)


def test_the_baseline_stays_in_a_table_that_is_cut(many):
    of_tasks = [one for one in tables.of(many) if one.left_out and one.baseline]
    assert of_tasks
    assert all(one.baseline in [one.columns[0].cell(row).text for row in one.rows] for one in of_tasks)


def test_verdicts_are_counted_and_those_left_out_are_where_it_says(many):
    said = opening.of(many, tables.of(many))
    assert sum(len(one.verdicts) + len(one.findings) for one in said) <= extent.SENTENCES
    assert all(one.counts for one in said)
    assert any(one.left_out.endswith("`rkbench report --json` has all.") for one in said)


def test_the_files_that_a_page_names_for_the_rest_have_every_cell_and_solver(written, text, many):
    named = set(re.findall(r"(\w+\.parquet) has all", text))
    assert named == {"summary.parquet"}
    known = {name: pq.read_metadata(written.parent / name).num_rows for name in (*named, "cells.parquet")}
    assert known["summary.parquet"] == len(many.cells[["task", "solver"]].drop_duplicates())
    assert known["cells.parquet"] + len(many.replicas) == CELLS


def test_a_report_reads_a_run_once(tmp_path, monkeypatch):
    run = three_solvers(tmp_path / "run")
    results = report.load(run)
    (run / store.RECORDS).unlink()
    (run / store.MANIFEST).unlink()
    monkeypatch.setattr(figures, "draw", lambda _: iter(()))
    report.show(results, Console(file=io.StringIO()))
    assert report.write(run, results).exists()


def test_records_are_held_as_objects_a_few_at_a_time(run, monkeypatch):
    """Four times the records, held as columns, take not even twice the memory of the objects of a few."""
    with (run / store.RECORDS).open("rb") as file:
        lines = [next(file) for _ in range(600)]
    monkeypatch.setattr(reading, "_AT_ONCE", 50)
    assert peak(lines) < 2 * peak(lines[:150])


def peak(lines: list[bytes]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        reading._read(lines)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a small run whose cache was made, as that of a large one is."""
    monkeypatch.setattr(cache, "SMALLEST", 0)
    run = three_solvers(tmp_path / "run")
    report.load(run)
    assert {path.name for path in (run / cache.CACHE).iterdir()} == {
        f"{name}.parquet" for name in ("cells", *reading.POINT_DTYPES)
    }
    return run


def unread(*_):
    raise AssertionError("the records were read")


def test_reading_again_takes_the_cache_and_gives_the_same(kept, monkeypatch):
    with (kept / store.RECORDS).open("rb") as lines:
        first = reading._read(lines)
    monkeypatch.setattr(journal, "parsed", unread)
    again = reading.recorded(kept)
    pd.testing.assert_frame_equal(again.cells, first.cells)
    assert again.points.keys() == first.points.keys()
    for name, points in first.points.items():
        pd.testing.assert_frame_equal(again.points[name], points)
    assert again.notes == first.notes


def test_the_notes_on_the_records_are_kept_too(kept):
    with (kept / store.RECORDS).open("ab") as file:
        file.write(b"not a record\n")
    first, again = reading.recorded(kept), reading.recorded(kept)
    assert len(first.notes) == 1
    assert again.notes == first.notes


def appended(run, _):
    with store.opened(run) as writer:
        writer.append(ok(cell("midpoint")))


def edited(run, _):
    path = run / store.RECORDS
    path.write_bytes(path.read_bytes().replace(b'"seed": 0', b'"seed": 7'))


def truncated(run, _):
    path = run / cache.CACHE / "curve.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def flipped(run, _):
    path = run / cache.CACHE / "cells.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 0xFF
    path.write_bytes(data)


def emptied(run, _):
    (run / cache.CACHE / "cells.parquet").write_bytes(b"")


def missing(run, _):
    (run / cache.CACHE / "trace.parquet").unlink()


def without_a_column(run, _):
    path = run / cache.CACHE / "cells.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["status"]), path)


def unmarked(run, _):
    path = run / cache.CACHE / "cells.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)


def of_other_code(_, monkeypatch):
    monkeypatch.setattr(cache, "_code", lambda: "another version")


def of_another_run(run, _):
    other = three_solvers(run.with_name("other"), seeds=1)
    report.load(other)
    shutil.copytree(other / cache.CACHE, run / cache.CACHE, dirs_exist_ok=True)


@pytest.mark.parametrize(
    "harm",
    [
        appended, edited, truncated, flipped, emptied, missing, without_a_column, unmarked, of_other_code, of_another_run,
    ],
)  # fmt: skip
def test_a_stale_or_damaged_cache_is_not_believed_and_made_again(kept, monkeypatch, harm):
    harm(kept, monkeypatch)
    with (kept / store.RECORDS).open("rb") as lines:
        truth = reading._read(lines)
    found = reading.recorded(kept)
    pd.testing.assert_frame_equal(found.cells, truth.cells)
    for name, points in truth.points.items():
        pd.testing.assert_frame_equal(found.points[name], points)
    monkeypatch.setattr(journal, "parsed", unread)
    assert len(reading.recorded(kept).cells) == len(truth.cells)


def test_a_folder_that_takes_no_cache_is_read_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "SMALLEST", 0)
    run = three_solvers(tmp_path / "run")
    (run / cache.CACHE).write_text("a file where the cache would be")
    assert len(report.load(run).cells) == len(report.load(run).cells) == 9


def test_a_small_run_leaves_no_cache(tmp_path):
    run = three_solvers(tmp_path / "run")
    report.load(run)
    assert not (run / cache.CACHE).exists()


CHROMIUM = browser.find()

AT_ONCE = 1000
"""Milliseconds within which a page answers, on a busy machine; it takes a twentieth."""

SEEN = (
    "[...document.querySelectorAll('.sortable tbody tr')].filter(row => row.checkVisibility())"
    ".map(row => row.dataset.name)"
)
KEYS = (
    "[...document.querySelector('.sortable').tBodies[0].rows].map(row => row.cells[2].dataset.key)"
    ".filter(key => key).map(Number)"
)


def milliseconds(window: browser.Browser, doing: str) -> float:
    """Return how long it takes to do something and to lay the page out again."""
    return window.evaluate(
        f"(() => {{ const start = performance.now(); {doing}; document.body.offsetHeight; return performance.now() - start; }})()"
    )


@pytest.mark.skipif(CHROMIUM is None, reason=f"no {', '.join(browser.NAMES)} on the PATH")
def test_the_page_of_many_cells_sorts_and_filters_at_once(written, many):
    with browser.Browser(CHROMIUM or "") as window:
        window.resize(1280)
        window.open(written)
        press = "document.querySelector('.sortable thead th:nth-child(3) button').click()"
        for order in (sorted, lambda keys: sorted(keys, reverse=True)):
            assert milliseconds(window, press) < AT_ONCE
            keys = window.evaluate(KEYS)
            assert len(keys) > 50
            assert keys == order(keys)
        window.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert len(window.evaluate(SEEN)) > 1000
        typed = "filter.value = 'method07'; filter.dispatchEvent(new Event('input', {bubbles: true}))"
        assert milliseconds(window, typed) < AT_ONCE
        left = window.evaluate(SEEN)
        assert left
        assert all("method07" in name for name in left)
        assert window.evaluate("document.querySelector('.filter output').textContent").startswith(
            f"{len(left)} of "
        )
