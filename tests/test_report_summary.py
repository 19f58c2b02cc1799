"""One row per task and solver: medians, ratios paired by seed, and no failure lost."""

import math
from typing import Any

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

import rkbench
from rkbench.report.summary import ESTIMATED, SUMMARY_COLUMNS


def rows(run) -> dict[Any, Any]:
    return rkbench.load(run).summary().set_index("solver").to_dict("index")


def test_medians_come_with_their_interval(tmp_path):
    row = rows(three_solvers(tmp_path / "run"))["rk4 ×10"]
    assert (row["train_seconds"], row["train_seconds_low"], row["train_seconds_high"]) == pytest.approx(
        (4.4, 4.0, 4.8)
    )
    assert row["test_accuracy"] == pytest.approx(0.96)


def test_every_documented_column_is_there_and_no_other(tmp_path):
    summary = rkbench.load(three_solvers(tmp_path / "run")).summary()
    ends = {f"{name}_{end}" for name in ESTIMATED for end in ("low", "high")}
    assert set(summary) == set(SUMMARY_COLUMNS) | ends


def test_times_are_ratios_to_the_baseline_at_the_same_seed(tmp_path):
    records = [ok(cell("euler", s), 1.0 * 10**s) for s in range(3)] + [
        ok(cell("rk4", s), 3.0 * 10**s) for s in range(3)
    ]
    row = rows(written(tmp_path / "run", records))["rk4 ×10"]
    assert (row["time_ratio"], row["time_ratio_low"], row["time_ratio_high"]) == pytest.approx((3, 3, 3))


@pytest.mark.parametrize("spoilt", [{"timing_valid": False}, {"host": "elsewhere"}])
def test_a_time_taken_beside_others_or_elsewhere_gives_no_ratio_but_keeps_its_accuracy(tmp_path, spoilt):
    row = rows(written(tmp_path / "run", [ok(cell("euler")), ok(cell("rk4"), **spoilt)]))["rk4 ×10"]
    assert math.isnan(row["time_ratio"])
    assert row["test_accuracy"] == 0.95
    assert row["nfe_forward"] == 10


def test_without_the_baseline_there_are_no_ratios(tmp_path):
    assert math.isnan(rows(written(tmp_path / "run", [ok(cell("rk4"))]))["rk4 ×10"]["time_ratio"])


def test_a_solver_whose_every_seed_failed_keeps_its_row(tmp_path):
    records = [ok(cell("euler"), target=0.9, seconds_to_target=1.0), failed(cell("rk4"))]
    row = rows(written(tmp_path / "run", records))["rk4 ×10"]
    assert (row["n_ok"], row["n_planned"], row["statuses"]) == (0, 1, "1 diverged")
    assert math.isnan(row["train_seconds"])
    assert row["seconds_to_target"] == math.inf


def test_a_seed_that_never_reached_the_target_counts_as_infinity(tmp_path):
    records = [ok(cell(seed=s), target=0.9, seconds_to_target=(1.0, None, None)[s]) for s in range(3)]
    row = rows(written(tmp_path / "run", records))["euler ×10"]
    assert (row["seconds_to_target"], row["seconds_to_target_low"]) == (math.inf, 1.0)


def test_a_seed_that_has_not_run_counts_neither_way(tmp_path):
    plan = [cell(seed=0), cell(seed=1)]
    run = written(tmp_path / "run", [ok(cell(seed=0), target=0.9, seconds_to_target=1.0)], plan)
    row = rows(run)["euler ×10"]
    assert (row["n_planned"], row["n_run"], row["n_ok"], row["seconds_to_target"]) == (2, 1, 1, 1.0)
    assert row["statuses"] == "1 ok, 1 not run yet"


def test_each_task_has_its_own_baseline(tmp_path):
    records = [
        ok(cell(m, task=t), s)
        for t, m, s in (("a", "euler", 1), ("a", "rk4", 2), ("b", "euler", 1), ("b", "rk4", 5))
    ]
    summary = rkbench.load(written(tmp_path / "run", records)).summary().set_index(["task", "method"])
    assert summary["time_ratio"].to_dict() == {
        ("a", "euler"): 1,
        ("a", "rk4"): 2,
        ("b", "euler"): 1,
        ("b", "rk4"): 5,
    }
