"""Verdicts on initial value problems: costs at equal error, never at equal tolerance."""

import numpy as np
import pytest
from test_report_example import cell, failed, written

from rkbench import report
from rkbench.report import verdicts
from rkbench.report.precision_table import LEVELS


def solved(method, steps, error, nfe, seconds, seed=0, replica=0, **given):
    from test_report_precision import solved as record

    one = record(method, error, nfe, steps=steps, seed=seed, **given)
    one.solve_seconds, one.replica = seconds, replica
    one.cell_id += "-again" * replica
    return one


def ladder(method, order, price, seeds=10, rungs=(10, 100, 1000), **given):
    """Return a ladder whose errors fall with its order, at a price in evaluations a step and in milliseconds."""
    jitter = 1 + 0.002 * np.sin(np.arange(seeds))
    return [
        solved(method, n, float(n) ** -order, price * n, price * n * 1e-3 * jitter[seed], seed, **given)
        for n in rungs
        for seed in range(seeds)
    ]


def baseline(seeds=10):
    again = [solved("euler", 10, 0.1, 10, 1e-2 * (1 + 0.001 * seed), seed, 1) for seed in range(seeds)]
    return ladder("euler", 1.5, 1, seeds) + again


def said(folder, *records):
    [verdict] = verdicts.of(report.load(written(folder / "run", [one for some in records for one in some])))
    return verdict


def test_ladders_are_compared_at_the_smallest_error_that_both_enclose(tmp_path):
    # Errors of euler fall to 3e-5, those of rk4 to 1e-12: of the levels only 1e-3 is common, at 100 and 5.6 steps.
    verdict = said(tmp_path, baseline(), ladder("rk4", 4, 4, rungs=(4, 10, 100)))
    assert (verdict.solver, verdict.claim) == ("rk4", "faster")
    assert verdict.sentence.startswith(
        "At an error of 1e-3, rk4 needs 0.225× the evaluations of f of euler and takes 0.225×"
    )


def test_a_ladder_that_is_dearer_at_equal_error_is_slower_though_its_steps_are_as_many(tmp_path):
    assert said(tmp_path, baseline(), ladder("heun2", 1.5, 2)).claim == "slower"


def test_one_seed_gives_exact_evaluations_and_no_verdict_on_time(tmp_path):
    verdict = said(tmp_path, baseline(1), ladder("heun2", 1.5, 2, 1))
    assert verdict.claim == "undecided"
    assert verdict.sentence == (
        "At an error of 1e-3, heun2 needs 2.00× the evaluations of f of euler and takes 2.00× its time "
        "(estimates: no verdict on 1 seed)."
    )


def test_a_bound_is_not_compared(tmp_path):
    verdict = said(tmp_path, baseline(), ladder("rk4", 4, 4, rungs=(100, 1000)))
    assert verdict.claim == "undecided"
    assert verdict.sentence.startswith("rk4 is not compared with euler: of the errors 1e-3, 1e-6 and 1e-9, ")


def test_errors_choose_the_level_on_every_seed(tmp_path):
    poor = ladder("rk4", 4, 4, rungs=(4, 10, 100))
    for record in poor:
        record.solution_error = 1e-2 if record.seed == 3 else record.solution_error
    assert "is not compared" in said(tmp_path, baseline(), poor).sentence


def test_a_loose_tolerance_that_fails_is_told_and_takes_no_claim_away(tmp_path):
    lost = [
        failed(cell("rk4", seed, steps=2, task="lorenz", experiment="solving", epochs=None))
        for seed in range(10)
    ]
    verdict = said(tmp_path, baseline(), ladder("rk4", 4, 4, rungs=(4, 10, 100)), lost)
    assert verdict.claim == "faster"
    assert verdict.sentence.endswith("; 10 of 40 cells diverged.")


def test_a_ladder_that_failed_throughout_has_no_result(tmp_path):
    lost = [failed(cell("rk4", task="lorenz", experiment="solving", epochs=None))]
    verdict = said(tmp_path, baseline(1), lost)
    assert (verdict.sentence, verdict.claim) == ("rk4 has no result: 1 of 1 cell diverged.", "failed")


@pytest.mark.parametrize("spoilt", [{"timing_valid": False}, {"host": "elsewhere"}])
def test_times_that_may_not_be_compared_leave_the_evaluations(tmp_path, spoilt):
    others = ladder("heun2", 1.5, 2)
    for record in others:
        for name, value in spoilt.items():
            setattr(record, name, value)
    verdict = said(tmp_path, baseline(), others)
    assert (verdict.sentence, verdict.claim) == (
        "At an error of 1e-3, heun2 needs 2.00× the evaluations of f of euler.",
        "undecided",
    )


def test_the_levels_are_those_of_the_table():
    assert LEVELS == (1e-3, 1e-6, 1e-9)
