"""Two runs beside each other: times only where they may be compared."""

import io
import math

import pytest
from rich.console import Console
from test_report_example import cell, ok, written

from rkbench import report


def pair(tmp_path, a, b):
    return written(tmp_path / "a", a), written(tmp_path / "b", b)


def test_changes_are_paired_by_seed(tmp_path):
    a = [ok(cell(seed=s), 10.0**s, 0.9 + 0.02 * s) for s in range(3)]
    b = [ok(cell(seed=s), 2 * 10.0**s, 0.91 + 0.02 * s) for s in range(3)]
    row = report.compare(*pair(tmp_path, a, b)).iloc[0]
    assert (row["time_ratio"], row["time_ratio_low"], row["time_ratio_high"]) == pytest.approx((2, 2, 2))
    assert row["test_accuracy_difference"] == pytest.approx(0.01)
    assert (row["train_seconds_a"], row["train_seconds_b"]) == (10, 20)


def test_times_of_two_machines_are_not_compared_but_accuracy_is(tmp_path):
    row = report.compare(*pair(tmp_path, [ok(cell())], [ok(cell(), accuracy=0.96, host="elsewhere")])).iloc[0]
    assert math.isnan(row["time_ratio"])
    assert row["test_accuracy_difference"] == pytest.approx(0.01)
    assert row["note"] == "other machine, times not compared"


def test_a_solver_of_one_run_only_keeps_its_row(tmp_path):
    row = report.compare(*pair(tmp_path, [ok(cell()), ok(cell("rk4"))], [ok(cell())])).iloc[1]
    assert (row["solver"], row["note"]) == ("rk4 ×10", "only in A")
    assert (row["n_ok_a"], row["n_ok_b"]) == (1, 0)
    assert math.isnan(row["train_seconds_b"])


def test_solvers_that_differ_between_the_runs_are_not_taken_for_one(tmp_path):
    found = report.compare(*pair(tmp_path, [ok(cell())], [ok(cell(dtype="float64", cell_id="other"))]))
    assert list(found["solver"]) == ["euler ×10 · float32", "euler ×10 · float64"]


def test_other_coefficients_under_one_name_are_told(tmp_path):
    row = report.compare(
        *pair(tmp_path, [ok(cell(), method_digest="1")], [ok(cell(), method_digest="2")])
    ).iloc[0]
    assert row["note"] == "other coefficients"


def test_the_comparison_prints_medians_ratio_and_interval(tmp_path):
    a, b = pair(
        tmp_path, [ok(cell(seed=s), 2.0) for s in range(2)], [ok(cell(seed=s), 4.0 + s) for s in range(2)]
    )
    out = io.StringIO()
    report.show_compare(a, b, Console(file=out, width=120))
    text = out.getvalue()
    assert "2.00 → 4.50" in text
    assert "2.25 [2.00–2.50]" in text
