"""Runs beside each other: what changed, claimed only where it is more than noise; times only where they may be compared."""

import io
import json
import math
import random

import pytest
from rich.console import Console
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.cli import main
from rkbench.errors import RunError
from rkbench.report.comparison import as_json
from rkbench.report.comparison.pooled import pool


def pair(tmp_path, a, b, **manifest):
    return written(tmp_path / "a", a), written(tmp_path / "b", b, **manifest)


def measured(seeds, pace=1.0, methods=("euler", "rk4"), noise=0.01, run=0, **given):
    """Return the cells of solvers, the baseline's second label included, whose times scatter by a share.

    Those of every run have identities of their own, as if the code had changed.
    """
    random.seed(f"{run}")
    records = []
    for seed in range(seeds):
        for method in methods:
            seconds = (2.0 if method == "euler" else 4.0 * pace) * random.lognormvariate(0, noise)
            point = cell(method, seed, cell_id=f"{run} {method} {seed}")
            records.append(ok(point, seconds, 0.9 + 0.01 * seed, **given))
        again = cell("euler", seed, replica=1, cell_id=f"{run} again {seed}")
        records.append(ok(again, 2.0 * random.lognormvariate(0, noise), 0.9 + 0.01 * seed, **given))
    return records


def shown(*runs):
    out = io.StringIO()
    report.show_compare(*runs, console=Console(file=out, width=160))
    return out.getvalue()


def test_changes_are_paired_by_seed(tmp_path):
    a = [ok(cell(seed=s), 10.0**s, 0.9 + 0.02 * s) for s in range(3)]
    b = [ok(cell(seed=s), 2 * 10.0**s, 0.91 + 0.02 * s) for s in range(3)]
    row = report.compare(*pair(tmp_path, a, b)).iloc[0]
    assert (row["time_ratio"], row["time_ratio_low"], row["time_ratio_high"]) == pytest.approx((2, 2, 2))
    assert row["test_accuracy_difference"] == pytest.approx(0.01)
    assert (row["train_seconds_a"], row["train_seconds_b"]) == (10, 20)


def test_a_change_beyond_noise_is_claimed_and_the_solver_that_did_not_change_is_not(tmp_path):
    found = report.compare(*pair(tmp_path, measured(8), measured(8, pace=1.12, run=1))).set_index("solver")
    assert list(found["time_claim"]) == ["undecided", "more"] or list(found["time_claim"]) == ["same", "more"]
    assert found.loc["rk4 ×10", "time_ratio"] == pytest.approx(1.12, abs=0.02)
    sentence = found.loc["rk4 ×10", "sentence"]
    assert sentence.startswith("rk4 ×10 in B: 1.1")
    assert "the training time of A: slower, beyond noise (p = 0.016); 1.1" in sentence
    assert "relative to euler ×10; test accuracy unchanged; evaluations of f" in sentence


def test_a_change_that_is_within_the_noise_is_not_claimed(tmp_path):
    found = report.compare(*pair(tmp_path, measured(8, noise=0.1), measured(8, pace=1.03, noise=0.1, run=1)))
    assert set(found["time_claim"]) <= {"undecided", "same"}
    assert not any("beyond noise" in sentence for sentence in found["sentence"])


def test_too_few_seeds_give_no_verdict_and_the_number_needed(tmp_path):
    one, two = pair(tmp_path, measured(3), measured(3, pace=3.0, run=1))
    sentence = report.compare(one, two).set_index("solver").loc["rk4 ×10", "sentence"]
    assert "no verdict: 3 seeds, 7 needed" in sentence
    alone = [
        written(tmp_path / name, measured(3, pace, ("rk4",), run=run))
        for name, pace, run in (("c", 1.0, 0), ("d", 3.0, 1))
    ]
    found = report.compare(*alone).set_index("solver")
    assert "no verdict: 3 seeds, 6 needed" in found.loc["rk4 ×10", "sentence"]


def test_without_a_second_label_of_the_baseline_nothing_is_claimed(tmp_path):
    a, b = ([one for one in measured(8, pace, run=pace) if not one.replica] for pace in (1.0, 2.0))
    found = report.compare(*pair(tmp_path, a, b))
    assert set(found["time_claim"]) == {"undecided"}
    assert "no verdict: not every run measured what it can resolve" in found["sentence"].iloc[1]


def test_a_machine_that_slowed_down_as_a_whole_cancels_against_the_baseline(tmp_path):
    b = measured(8, run=1)
    for one in b:
        one.train_seconds *= 1.3
    row = report.compare(*pair(tmp_path, measured(8), b)).set_index("solver").loc["rk4 ×10"]
    assert row["time_ratio"] == pytest.approx(1.3, abs=0.02)
    assert row["relative_time_ratio"] == pytest.approx(1.0, abs=0.02)


def test_cells_of_the_same_code_tell_the_machine_apart_and_not_the_solver(tmp_path):
    b = measured(8)
    for one in b:
        one.train_seconds *= 1.3
    row = report.compare(*pair(tmp_path, measured(8), b)).set_index("solver").loc["rk4 ×10"]
    assert row["time_ratio"] == pytest.approx(1.3)
    assert row["time_claim"] == "undecided"
    assert "code and settings are the same: it is the machine that changed" in row["sentence"]


def test_seeds_that_are_left_after_failures_claim_nothing(tmp_path):
    b = measured(10, pace=2.0, run=1)
    b = [failed(cell("rk4", 0)) if (one.method, one.seed) == ("rk4", 0) else one for one in b]
    row = report.compare(*pair(tmp_path, measured(10), b)).set_index("solver").loc["rk4 ×10"]
    assert row["time_claim"] == "undecided"
    assert "in A none failed, in B 1 of 10 cells diverged; 1.99× [" in row["sentence"]
    assert "no verdict on the seeds that are left" in row["sentence"]


def test_a_solver_that_failed_everywhere_has_a_sentence(tmp_path):
    row = report.compare(*pair(tmp_path, [ok(cell())], [failed(cell())])).iloc[0]
    assert row["sentence"] == "euler ×10 in B: in B it has no result: 1 of 1 cell diverged."


def test_three_runs_are_each_compared_with_the_first(tmp_path):
    runs = [
        written(tmp_path / name, measured(9, pace, run=name))
        for name, pace in (("a", 1.0), ("b", 1.2), ("c", 0.7))
    ]
    found = report.compare(*runs).set_index(["solver", "run"])
    assert len(found) == 4
    assert found.loc[("rk4 ×10", "B"), "time_claim"] == "more"
    assert found.loc[("rk4 ×10", "C"), "time_claim"] == "less"
    assert "rk4 ×10 in C: 0.7" in " ".join(shown(*runs).split())


def test_more_runs_need_more_evidence(tmp_path):
    """Holm's correction is over all solvers and runs of a task."""
    a, b, c = (written(tmp_path / name, measured(8, run=name)) for name in "abc")
    two, three = report.compare(a, b), report.compare(a, b, c)
    assert (three.loc[three["run"] == "B", "time_p"].to_numpy() >= two["time_p"].to_numpy()).all()


def test_times_of_two_machines_are_not_compared_but_accuracy_is(tmp_path):
    row = report.compare(*pair(tmp_path, [ok(cell())], [ok(cell(), accuracy=0.96, host="elsewhere")])).iloc[0]
    assert math.isnan(row["time_ratio"])
    assert row["test_accuracy_difference"] == pytest.approx(0.01)
    assert row["note"] == "other machine, times not compared"
    assert "training time not compared" in row["sentence"]


@pytest.mark.parametrize("other", [{"data_sha256": "2"}, {"epochs": 3}])
def test_cells_that_did_other_work_are_not_compared(tmp_path, other):
    given = cell() | {"data_sha256": "1"}
    row = report.compare(*pair(tmp_path, [ok(given)], [ok(given | other)])).iloc[0]
    assert math.isnan(row["time_ratio"])
    assert math.isnan(row["test_accuracy_difference"])
    assert "not compared" in row["note"]


def test_a_measurement_that_is_in_both_runs_is_told(tmp_path):
    a = [ok(cell(seed=s), measured_at="2026-03-01T09:00:00+00:00") for s in range(2)]
    assert report.compare(*pair(tmp_path, a, a)).iloc[0]["note"] == "2 of the cells are the same measurement"


def test_a_solver_of_one_run_only_keeps_its_row(tmp_path):
    row = report.compare(*pair(tmp_path, [ok(cell()), ok(cell("rk4"))], [ok(cell())])).iloc[1]
    assert (row["solver"], row["note"]) == ("rk4 ×10", "not in B")
    assert (row["n_ok_a"], row["n_ok_b"]) == (1, 0)
    assert math.isnan(row["train_seconds_b"])


def test_a_task_of_one_run_only_keeps_its_rows(tmp_path):
    found = report.compare(*pair(tmp_path, [ok(cell())], [ok(cell(task="other"))]))
    assert list(found["note"]) == ["not in B", "not in A"]


def test_solvers_that_differ_between_the_runs_are_not_taken_for_one(tmp_path):
    found = report.compare(*pair(tmp_path, [ok(cell())], [ok(cell(dtype="float64", cell_id="other"))]))
    assert list(found["solver"]) == ["euler ×10 · float32", "euler ×10 · float64"]


def test_other_coefficients_under_one_name_are_told(tmp_path):
    row = report.compare(
        *pair(tmp_path, [ok(cell(), method_digest="1")], [ok(cell(), method_digest="2")])
    ).iloc[0]
    assert row["note"] == "other coefficients"


def test_the_comparison_prints_medians_ratio_interval_and_what_else_differs(tmp_path):
    a, b = pair(
        tmp_path,
        [ok(cell(seed=s), 2.0) for s in range(2)],
        [ok(cell(seed=s), 4.0 + s) for s in range(2)],
        versions={"torch": "2.15"},
    )
    text = shown(a, b)
    assert "2.00 → 4.50" in text
    assert "2.24 [2.00–2.50]" in text
    assert "B against A: torch unknown → 2.15" in text


def test_runs_are_pooled_with_times_within_each_machine(tmp_path):
    here = written(tmp_path / "a", [ok(cell(seed=s), 2.0, 0.90 + 0.01 * s) for s in range(3)])
    there = written(tmp_path / "b", [ok(cell(seed=s), 8.0, 0.90 + 0.01 * s, host="forge") for s in range(5)])
    found = pool({"A": report.load(here), "B": report.load(there)}).set_index("host")
    assert list(found["seconds"]) == [2.0, 8.0]
    assert list(found["n_timed"]) == [3, 5]
    assert list(found["n_seeds"]) == [5, 5]  # a seed of both runs counts once
    assert list(found["test_accuracy"]) == pytest.approx([0.92, 0.92])


def test_cells_of_other_data_are_not_pooled(tmp_path):
    runs = pair(tmp_path, [ok(cell(), data_sha256="1234567")], [ok(cell(), data_sha256="7654321")])
    found = pool(dict(zip("AB", map(report.load, runs), strict=True)))
    assert list(found["task"]) == ["digits (data 1234)", "digits (data 7654)"]


def test_the_comparison_as_json_has_no_nan(tmp_path):
    runs = pair(tmp_path, [ok(cell()), failed(cell("rk4"))], [ok(cell())])
    told = json.loads(as_json(*runs), parse_constant=lambda name: pytest.fail(name))
    assert [one["run"] for one in told["runs"]] == ["A", "B"]
    assert told["changes"][0]["solver"] == "euler ×10"
    assert told["changes"][0]["time_ratio"] == 1.0
    assert told["changes"][1]["time_ratio"] is None
    assert told["pooled"][0]["runs"] == "A B"


def test_a_run_without_cells_that_ran_is_compared(tmp_path):
    a = written(tmp_path / "a", [], [cell()])
    assert report.compare(a, a).iloc[0]["sentence"] == "euler ×10 in B: in A it has not run yet."
    assert "not run yet" in shown(a, a)


def test_one_run_is_not_a_comparison(tmp_path):
    with pytest.raises(RunError, match="name a second run folder"):
        report.compare(written(tmp_path / "a", [ok(cell())]))


def test_the_verb_takes_runs_and_prints_json_alone(tmp_path, capsys):
    runs = pair(tmp_path, [ok(cell())], [ok(cell())])
    with pytest.raises(SystemExit) as caught:
        main(["compare", *map(str, runs), str(runs[0]), "--json"])
    assert caught.value.code == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3
    with pytest.raises(SystemExit) as caught:
        main(["compare", str(runs[0])])
    assert caught.value.code == 2
