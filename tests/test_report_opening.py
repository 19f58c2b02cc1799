"""A report begins with its verdicts: on the page, in Markdown and in the terminal, in the same words."""

import re
from typing import get_args

import pytest
from test_report_example import cell, ok, three_solvers, written

from rkbench import report
from rkbench.report import load, opening, page, tables
from rkbench.report.verdict import Claim, Verdict

SEEDS = 10


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run in which rk4 takes twice as long as euler, and euler as long as itself."""
    scatter = [1 + 0.002 * ((7 * seed) % SEEDS - 4.5) for seed in range(SEEDS)]
    records = [
        ok(cell(method, seed), seconds * scatter[seed if method == "euler" else -seed])
        for seed in range(SEEDS)
        for method, seconds in (("euler", 2.0), ("rk4", 4.0))
    ]
    records += [
        ok(cell(seed=seed) | {"cell_id": f"twin{seed}"}, 2.0 * scatter[seed - 3], replica=1)
        for seed in range(SEEDS)
    ]
    plan = [{key: getattr(one, key) for key in ("cell_id", "replica", *cell())} for one in records]
    run = written(tmp_path_factory.mktemp("runs") / "run", records, plan)
    report.write(run)
    return run


def test_the_page_says_the_verdict_before_the_table_and_repeats_its_color_in_words(run):
    text = (run / "report" / "index.html").read_text()
    said = text.index(
        '<li class="slower"><span class="claim"><span aria-hidden="true">▲</span>more time</span>'
    )
    assert said < text.index("<table")
    assert "<b>rk4 ×10</b> takes 2.00×" in text
    assert "differs from itself by up to" in text


def test_markdown_says_the_same(run):
    text = (run / "report" / "report.md").read_text()
    assert text.index("- **more time**: rk4 ×10 takes 2.00×") < text.index("## digits")
    assert r"euler ×10 differs from itself by up to" in text


def test_a_wall_of_undecided_verdicts_is_folded_and_counted(tmp_path):
    methods = ["euler", *(f"method{n}" for n in range(9))]
    run = written(tmp_path / "run", [ok(cell(method), 2.0) for method in methods])
    report.write(run)
    text = (run / "report" / "index.html").read_text()
    summary = text.index(
        '<details class="folded"><summary><h3>digits</h3> <small>9 undecided</small></summary>'
    )
    assert summary < text.index('<li class="undecided">')


def test_what_was_decided_is_not_folded(run):
    [said] = opening.of(load(run), [])
    assert said.counts == ""


def test_every_claim_has_a_symbol_and_words_of_its_own():
    assert set(opening.MARKS) == set(get_args(Claim))
    assert len({mark.symbol for mark in opening.MARKS.values()}) == len(opening.MARKS)
    assert len({mark.words for mark in opening.MARKS.values()}) == len(opening.MARKS)


def test_a_run_of_the_baseline_alone_has_no_verdict_and_says_so(tmp_path):
    text = report.write(written(tmp_path / "run", [ok(cell())])).read_text()
    assert "None: no solver was run beside the baseline." in text


def test_every_column_of_every_table_says_what_it_holds(tmp_path):
    (table,) = tables.of(load(three_solvers(tmp_path / "run")))
    assert len(table.columns) == 11
    assert all(re.fullmatch(r"[A-Z].{15,}\.", column.doc) for column in table.columns)


def test_the_baselines_row_is_marked(run):
    assert (run / "report" / "index.html").read_text().count('<span class="tag">baseline</span>') == 1


def test_a_name_is_set_apart_only_where_it_stands_alone():
    found = page._named(Verdict("t", "rk4 ×1", "rk4 ×10 and <rk4 ×1> differ.", "same"))
    assert found == "rk4 ×10 and &lt;<b>rk4 ×1</b>&gt; differ."


def test_a_sentence_without_the_name_stays_whole():
    assert page._named(Verdict("t", "a", "& nothing", "same")) == "&amp; nothing"


def test_a_tolerance_is_not_broken_at_its_hyphen():
    assert page.unbroken("a<b @ 2.5e-4") == 'a&lt;b @ <span class="whole">2.5e-4</span>'
    assert page.unbroken("one-two") == "one-two"


def test_what_stands_between_backticks_is_code():
    assert page._coded("take `--seeds 7`, <b>") == "take <code>--seeds 7</code>, &lt;b&gt;"
