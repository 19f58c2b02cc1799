"""What a run says of its solvers in words, and what it may not say."""

import numpy as np
import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import verdicts

CALM = np.array([0.0, 0.004, -0.003, 0.002, -0.001, 0.005, -0.004, 0.001, 0.003, -0.002])
"""Relative scatter of the times of ten seeds."""


def solver(method, seconds, seeds=10, accuracy=0.95, scatter=0.0, replica=0, **given):
    """Return the records of one solver, one per seed."""
    records = []
    for seed in range(seeds):
        planned = cell(method, seed) | {"replica": replica}
        planned["cell_id"] += "-again" * replica
        right = np.broadcast_to(accuracy, 10)[seed]
        records.append(ok(planned, seconds * (1 + scatter * CALM[seed]), float(right), **given))
    return records


def baseline(seeds=10, **given):
    """Return euler's records under both labels, whose times differ by up to half a percent."""
    return solver("euler", 2.0, seeds, **given) + solver("euler", 2.0, seeds, scatter=1.0, replica=1, **given)


def run(folder, *records):
    return report.load(written(folder / "run", [one for some in records for one in some]))


def said(folder, *records):
    [verdict] = verdicts.of(run(folder, *records))
    return verdict


def test_a_slower_solver_is_said_to_be_so_with_ratio_and_interval(tmp_path):
    verdict = said(tmp_path, baseline(), solver("rk4", 3.2, scatter=3.0))
    assert (verdict.task, verdict.solver, verdict.claim) == ("digits", "rk4 ×10", "slower")
    assert verdict.sentence.startswith("rk4 ×10 takes 1.60× [1.59–1.61] the training time of euler ×10; ")


def test_a_faster_solver_is_said_to_be_so(tmp_path):
    assert said(tmp_path, baseline(), solver("rk4", 1.0, scatter=3.0)).claim == "faster"


def test_a_difference_below_the_resolution_is_not_claimed_however_small_its_p_value(tmp_path):
    noisy = solver("euler", 2.0) + solver("euler", 2.0, scatter=10.0, replica=1)
    verdict = said(tmp_path, noisy, solver("rk4", 2.05, scatter=3.0))
    assert verdict.claim == "undecided"
    assert (
        "1.03× [1.02–1.03] the training time of euler ×10: not distinguishable in this run (resolution 3 %)"
        in verdict.sentence
    )


def test_a_difference_within_the_band_is_called_none(tmp_path):
    verdict = said(tmp_path, baseline(), solver("rk4", 2.01, scatter=0.1))
    assert verdict.claim == "same"
    assert "the training time of euler ×10: the same within 2 %" in verdict.sentence


def test_a_difference_that_scatters_around_nothing_is_not_distinguishable(tmp_path):
    verdict = said(tmp_path, baseline(), solver("rk4", 2.0, scatter=30.0))
    assert verdict.claim == "undecided"
    assert "not distinguishable in this run" in verdict.sentence


def test_three_seeds_estimate_and_give_no_verdict(tmp_path):
    verdict = said(tmp_path, baseline(seeds=3), solver("rk4", 6.0, seeds=3))
    assert verdict.claim == "undecided"
    assert "takes 3.00× the training time of euler ×10" in verdict.sentence
    assert "(estimates: no verdict on 3 seeds)" in verdict.sentence


def test_the_number_of_seeds_needed_for_a_verdict_is_given(tmp_path):
    methods = ["heun2", "rk4", "ralston", "midpoint", "kutta3", "ssprk3", "bosh3"]
    others = [solver(method, 6.0, seeds=3) for method in methods]
    notes = verdicts.notes(run(tmp_path, baseline(seeds=3), *others))
    assert (
        "digits: 3 seeds allow no verdict among 7 comparisons: at least 9 are needed (`--seeds 9`)." in notes
    )


def test_a_run_that_did_not_measure_its_resolution_claims_nothing_about_time(tmp_path):
    results = run(tmp_path, solver("euler", 2.0), solver("rk4", 6.0))
    [verdict] = verdicts.of(results)
    assert verdict.claim == "undecided"
    assert "no verdict where the run did not measure its resolution" in verdict.sentence
    assert "was not measured" in verdicts.notes(results)[0]


def test_more_solvers_make_a_claim_harder(tmp_path):
    few = run(tmp_path, baseline(seeds=6), solver("rk4", 6.0, seeds=6))
    assert [one.claim for one in verdicts.of(few)] == ["slower"]
    (tmp_path / "more").mkdir()
    many = run(
        tmp_path / "more", baseline(seeds=6), solver("rk4", 6.0, seeds=6), solver("heun2", 6.0, seeds=6)
    )
    assert [one.claim for one in verdicts.of(many)] == ["undecided", "undecided"]


def test_accuracy_is_told_in_points_and_claimed_only_where_it_differs(tmp_path):
    better = said(tmp_path, baseline(), solver("rk4", 3.2, accuracy=0.96 + 0.001 * CALM))
    assert "its test accuracy is higher by 1.00 points" in better.sentence
    (tmp_path / "worse").mkdir()
    worse = said(tmp_path / "worse", baseline(), solver("rk4", 3.2, accuracy=0.93 + 0.1 * CALM))
    assert "its test accuracy is lower by 1.99 points [1.97–2.02]" in worse.sentence


def test_accuracy_that_scatters_is_not_distinguishable(tmp_path):
    verdict = said(tmp_path, baseline(), solver("rk4", 3.2, accuracy=0.95 + CALM))
    assert (
        "its test accuracy differs by +0.05 points [-0.20 to +0.30]: not distinguishable in this run;"
        in verdict.sentence
    )


def test_equal_accuracies_are_the_same(tmp_path):
    assert (
        "differs by +0.00 points: the same within 0.10 points"
        in said(tmp_path, baseline(), solver("rk4", 3)).sentence
    )


def test_evaluations_are_counts_and_exact_on_any_number_of_seeds(tmp_path):
    verdict = said(tmp_path, baseline(seeds=2), solver("rk4", 3.2, seeds=2, nfe_forward=40))
    assert verdict.sentence.endswith(
        "; it needs 40 evaluations of f a training step instead of 10: 4.00× as many."
    )
    (tmp_path / "same").mkdir()
    assert said(tmp_path / "same", baseline(), solver("rk4", 3.2)).sentence.endswith(
        "it needs as many evaluations of f."
    )


def test_time_to_the_target_is_a_ratio_where_every_seed_reaches_it(tmp_path):
    verdict = said(
        tmp_path,
        baseline(target=0.9, seconds_to_target=1.0),
        solver("rk4", 3.2, target=0.9, seconds_to_target=3.0),
    )
    assert "it reaches 90.00 % test accuracy in 3.00× the time" in verdict.sentence


def test_a_target_that_is_missed_is_counted_not_left_out(tmp_path):
    late = solver("rk4", 3.2, target=0.9, seconds_to_target=3.0)
    for record in late[:4]:
        record.seconds_to_target = None
    verdict = said(tmp_path, baseline(target=0.9, seconds_to_target=1.0), late)
    assert (
        "6 of 10 seeds reach 90.00 % test accuracy, against 10 of 10 seeds of euler ×10" in verdict.sentence
    )


def test_failures_are_told_first_and_nothing_is_claimed_of_the_rest(tmp_path):
    rest = solver("rk4", 1.0)[2:]
    verdict = said(tmp_path, baseline(), rest, [failed(cell("rk4", seed)) for seed in range(2)])
    assert verdict.claim == "failed"
    assert verdict.sentence.startswith("2 of 10 cells diverged; on the others, rk4 ×10 takes 0.500×")
    assert "(estimates: no verdict on the seeds that are left)" in verdict.sentence


def test_a_solver_without_any_result_says_how_it_failed(tmp_path):
    lost = [failed(cell("rk4", seed), status=("diverged", "timeout")[seed % 2]) for seed in range(4)]
    verdict = said(tmp_path, baseline(seeds=4), lost)
    assert verdict.sentence == "rk4 ×10 has no result: 2 of 4 cells diverged and 2 ran out of time."
    assert verdict.claim == "failed"


def test_a_solver_that_has_not_run_is_no_failure(tmp_path):
    planned = [cell("euler"), cell("rk4")]
    folder = written(tmp_path / "run", [ok(cell("euler"))], planned)
    [verdict] = verdicts.of(report.load(folder))
    assert (verdict.sentence, verdict.claim) == ("rk4 ×10 has not run yet.", "undecided")


def test_a_skipped_engine_gives_its_reason(tmp_path):
    skipped = failed(cell("rk4"), "The engine needs jax; install it.", status="skipped")
    verdict = said(tmp_path, baseline(seeds=1), [skipped])
    assert verdict.sentence == "rk4 ×10 was skipped: The engine needs jax; install it."


@pytest.mark.parametrize("spoilt", [{"timing_valid": False}, {"host": "elsewhere"}])
def test_times_beside_others_or_elsewhere_are_not_compared_but_accuracy_is(tmp_path, spoilt):
    verdict = said(tmp_path, baseline(), solver("rk4", 6.0, accuracy=0.96, **spoilt))
    assert verdict.claim == "undecided"
    assert "rk4 ×10 has no time to compare with that of euler ×10" in verdict.sentence
    assert "higher by 1.00 points" in verdict.sentence


def test_a_baseline_that_failed_everywhere_leaves_nothing_to_compare(tmp_path):
    verdict = said(tmp_path, [failed(cell("euler", seed)) for seed in range(3)], solver("rk4", 6.0, seeds=3))
    assert verdict.claim == "undecided"
    assert "has no time to compare" in verdict.sentence


def test_without_the_baseline_nobody_is_judged(tmp_path):
    results = run(tmp_path, solver("rk4", 6.0))
    assert verdicts.of(results) == []
    assert verdicts.notes(results) == []


def test_the_baseline_alone_has_nothing_to_be_judged_by(tmp_path):
    results = run(tmp_path, baseline())
    assert verdicts.of(results) == []
    assert verdicts.notes(results) == []


def test_each_task_is_judged_by_itself(tmp_path):
    def of_task(task, seconds):
        records = []
        for one in (*baseline(), *solver("rk4", seconds, scatter=3.0)):
            one.task, one.cell_id = task, f"{task}-{one.cell_id}"
            records.append(one)
        return records

    found = verdicts.of(run(tmp_path, of_task("a", 1.0), of_task("b", 4.0)))
    assert [(one.task, one.claim) for one in found] == [("a", "faster"), ("b", "slower")]


def test_the_notes_tell_the_resolution_and_the_seeds_that_ten_percent_take(tmp_path):
    noisy = solver("euler", 2.0, scatter=5.0) + solver("euler", 2.0, scatter=-25.0, replica=1)
    notes = verdicts.notes(run(tmp_path, noisy, solver("rk4", 6.0, scatter=20.0)))
    assert (
        notes[0]
        == "digits: euler ×10 differs from itself by up to 9.7 % of time; nothing smaller is claimed."
    )
    assert notes[1].startswith("digits: To find differences of 10 % in time, take ")


def test_gradients_are_left_to_their_own_sentences(tmp_path):
    found = run(tmp_path, [ok(cell("euler", experiment="gradient")), ok(cell("rk4", experiment="gradient"))])
    assert verdicts.of(found) == []


def test_nobody_is_asked_for_hundreds_of_seeds(tmp_path):
    wild = solver("rk4", 2.0, scatter=100.0)
    [note] = verdicts.notes(run(tmp_path, baseline(), wild))[1:]
    assert note == (
        "digits: Times scatter so much that more than 50 seeds would be needed to find differences of 10 %; "
        "`rkbench doctor` says what disturbs the machine."
    )


def test_what_is_true_of_several_tasks_is_said_once(tmp_path):
    records = [
        one
        for task in ("digits", "letters")
        for m in ("euler", "rk4")
        for one in solver(m, 2.0, seeds=3, task=task)
    ]
    for number, one in enumerate(records):
        one.cell_id = f"cell{number}"
    notes = verdicts.notes(run(tmp_path, records))
    assert (
        "digits and letters: 3 seeds allow no verdict among one comparison: at least 6 are needed (`--seeds 6`)."
        in notes
    )
