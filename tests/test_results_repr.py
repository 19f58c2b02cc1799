"""A run in a notebook: tables with intervals and denominators, small, safe, and at home in light and dark."""

import re
from html.parser import HTMLParser

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import report
from rkbench.report import notebook

NASTY = "<script>alert(1)</script> & </table> \"q\" {0} 'x'"


class Balanced(HTMLParser):
    """Knows the tags that are open, and the text and classes seen."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def shown(run):
    page = report.load(run)._repr_html_()
    parsed = Balanced(page)
    assert parsed.open == []
    return page, " ".join(" ".join(parsed.text).split()), parsed


def test_it_has_the_table_with_intervals_denominators_and_the_way_to_the_frames(tmp_path):
    _, text, parsed = shown(three_solvers(tmp_path / "run"))
    for said in ("A suite", "dopri5 @ 1e-3", "22.0 [20.0–24.0]", "9 cells planned, 9 run, 0 failed."):
        assert said in text
    for frame in (".summary()", ".cells", ".epochs", ".replicas"):
        assert frame in text
    assert parsed.tags.count("table") == 1


def test_every_frame_that_it_names_is_there(tmp_path):
    results = report.load(three_solvers(tmp_path / "run"))
    page = results._repr_html_()
    named = re.findall(r"<code>\.(\w+)", page)
    assert len(named) == 4
    assert all(hasattr(results, name) for name in named)


def test_what_a_plugin_wrote_is_text(tmp_path):
    run = written(tmp_path / "run", [ok(cell(NASTY, task=NASTY)), failed(cell(NASTY, 1, task=NASTY))])
    page, text, parsed = shown(run)
    assert "script" not in parsed.tags
    assert f"{NASTY} ×10" in text
    assert "1 of 2 ok, 1 diverged" in text


def test_it_needs_nothing_from_elsewhere_and_sets_no_color_of_its_own(tmp_path):
    page, *_ = shown(three_solvers(tmp_path / "run"))
    assert not re.search(r"https?:|src=|href=|url\(|@import|<script|<link|<img", page)
    assert re.findall(r"(?<!-)color:([^;}]+)", page) == ["inherit"]
    assert "background:none" in page


def test_it_stays_small_however_large_the_run(tmp_path):
    records = [ok(cell(f"method{n:03}", task=f"task{t}")) for t in range(5) for n in range(60)]
    page, text, parsed = shown(written(tmp_path / "run", records))
    assert parsed.tags.count("table") == notebook.TABLES
    assert text.count("and 180 more rows") == 1
    assert text.count("and 40 more rows") == notebook.TABLES - 1
    assert "3 more tables in the report." in text
    assert len(page) < 60_000


@pytest.mark.parametrize("records", [[], [failed(cell())]])
def test_a_run_without_results_is_shown(tmp_path, records):
    page, text, _ = shown(written(tmp_path / "run", records, [cell()]))
    assert "1 cell planned" in text


def test_notes_of_the_run_folder_are_told(tmp_path):
    run = written(tmp_path / "run", [ok(cell()), ok(cell("rk4"))], [cell()])
    _, text, _ = shown(run)
    assert "1 recorded cells are not in the plan" in text
