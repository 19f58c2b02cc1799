"""The report in the terminal: complete at every width, and nobody's name is markup."""

import io
import math

import pytest
from rich.console import Console
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import report
from rkbench.report import numbers


def printed(run, width=100):
    out = io.StringIO()
    report.show(run, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_console_and_no_number_is_cut(tmp_path, width):
    text = printed(three_solvers(tmp_path / "run"), width)
    assert max(map(len, text.splitlines())) <= width
    for number in ("22.0", "20.0–24.0", "10.0", "95.00–97.00", "3 ok", "9 cells planned, 9 run, 0 failed"):
        assert number in " ".join(text.split())


def test_a_wide_console_shows_one_table(tmp_path):
    run = three_solvers(tmp_path / "run")
    row = "\ndopri5 @ 1e-3  "
    assert printed(run, 160).count(row) == 1
    assert printed(run, 80).count(row) == 2


def test_verdicts_come_before_the_tables(tmp_path):
    text = printed(three_solvers(tmp_path / "run"))
    assert text.index("? undecided: rk4 ×10 takes") < text.index("\nrk4 ×10  ")


def test_failures_are_told_once_with_their_seeds_and_reason(tmp_path):
    run = written(tmp_path / "run", [ok(cell("euler")), *(failed(cell("rk4", seed)) for seed in range(3))])
    text = printed(run)
    assert text.count("It diverged; take more steps.") == 1
    assert "rk4 ×10 on digits, seed 0, 1, 2" in text
    assert "4 cells planned, 4 run, 3 failed" in text


def test_a_name_is_never_read_as_markup(tmp_path):
    run = written(tmp_path / "run", [failed(cell("[red]mine[/red]"), message="[bold]why[/] [/nothing]")])
    text = printed(run, 200)
    assert "[red]mine[/red]" in text
    assert "[bold]why[/] [/nothing]" in text


def test_rows_published_elsewhere_have_ratios_to_their_own_baseline(tmp_path):
    rows = [
        {"source": "Slides", "label": m, "method": m, "train_seconds": t, "test_accuracy": 0.9643}
        for m, t in (("euler", 10), ("rk4", 25))
    ]
    text = printed(written(tmp_path / "run", [ok(cell())], reference=rows))
    assert "Slides" in text
    assert "2.50" in text
    assert "not comparable with ours" in text


def test_times_measured_beside_other_cells_are_marked(tmp_path):
    assert "†" in printed(written(tmp_path / "run", [ok(cell(), timing_valid=False)]))
    assert "†" not in printed(written(tmp_path / "run2", [ok(cell())]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.345, "12.3"),
        (0.01234, "0.0123"),
        (1091.28, "1,091"),
        (999.96, "1,000"),
        (0.0, "0.00"),
        (1e-7, "1.00e-07"),
        (math.nan, "–"),
    ],
)
def test_seconds_are_spelled_to_three_significant_digits(value, text):
    assert numbers.seconds(value) == text


def test_an_interval_that_says_no_more_than_the_middle_is_not_repeated():
    assert numbers.interval(numbers.percent, 0.95, 0.95001, 0.94999) == ""
    assert numbers.interval(numbers.percent, 0.95, 0.94, 0.96) == "94.00–96.00"
    assert numbers.interval(numbers.seconds, math.inf, 3.0, math.inf) == "3.00–∞"
    assert numbers.interval(lambda x: f"{x:+.1f}", 0, -1, 2) == "-1.0 to +2.0"
