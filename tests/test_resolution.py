"""What a run can tell apart, measured by its baseline against itself."""

import math

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report.resolution import log_ratios, resolution, score_resolution

RATIOS = (0.99, 1.01, 1.0, 1.03, 0.98)


def again(seed, seconds, accuracy=0.95, **given):
    planned = cell(seed=seed) | {"replica": 1, "cell_id": f"again-{seed}"}
    return ok(planned, seconds, accuracy, **given)


def run(folder, second):
    first = [ok(cell(seed=seed), 2.0 + seed) for seed in range(len(second))]
    return report.load(written(folder / "run", [*first, *second]))


def limits(results):
    return [find(results.cells, results.replicas, "digits") for find in (resolution, score_resolution)]


def test_it_is_the_far_end_of_the_interval_of_the_two_labels(tmp_path):
    second = [again(seed, (2.0 + seed) * ratio) for seed, ratio in enumerate(RATIOS)]
    assert limits(run(tmp_path, second)) == [pytest.approx(1.03), 0.0]


def test_faster_by_chance_counts_as_much_as_slower(tmp_path):
    second = [again(seed, (2.0 + seed) / ratio) for seed, ratio in enumerate(RATIOS)]
    assert limits(run(tmp_path, second))[0] == pytest.approx(1.03)


def test_accuracies_that_differ_between_equal_runs_set_a_limit_too(tmp_path):
    second = [again(seed, 2.0 + seed, 0.95 + 0.001 * (-1) ** seed) for seed in range(5)]
    assert limits(run(tmp_path, second)) == [1.0, pytest.approx(0.001)]


@pytest.mark.parametrize("lost", [{"timing_valid": False}, {"host": "elsewhere"}])
def test_times_that_may_not_be_compared_are_no_pairs_and_accuracies_are(tmp_path, lost):
    second = [again(seed, 2.0 + seed, **(lost if seed == 0 else {})) for seed in range(5)]
    assert limits(run(tmp_path, second)) == [None, 0.0]


def test_a_label_that_failed_is_no_pair(tmp_path):
    broken = failed(cell(seed=4) | {"replica": 1, "cell_id": "again-4"})
    assert limits(run(tmp_path, [*(again(seed, 2.0) for seed in range(4)), broken])) == [None, None]


def test_four_seeds_are_too_few(tmp_path):
    assert limits(run(tmp_path, [again(seed, 2.0 + seed) for seed in range(4)])) == [None, None]


def test_without_a_second_label_nothing_was_measured(tmp_path):
    results = report.load(written(tmp_path / "run", [ok(cell(seed=seed)) for seed in range(6)]))
    assert limits(results) == [None, None]
    assert log_ratios(results.cells, results.replicas, "digits").size == 0


def test_another_task_has_a_resolution_of_its_own(tmp_path):
    results = run(tmp_path, [again(seed, 2.0 + seed) for seed in range(5)])
    assert resolution(results.cells, results.replicas, "elsewhere") is None
    assert math.isclose(resolution(results.cells, results.replicas, "digits") or 0, 1.0)
