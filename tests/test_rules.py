"""The ten rules of measuring, each with the tests that fail when it is broken."""

import ast
from pathlib import Path

import pytest

RULES = {
    "1 correct first: an unproven tableau is not timed, and evaluations are counted, not believed": [
        "test_tableau_refusals.py",
        "test_runner.py::test_an_engine_that_hides_evaluations_is_caught",
        "test_solving.py::test_an_engine_that_miscounts_has_no_result",
        "test_gradient_task.py::test_an_engine_that_miscounts_has_no_result",
    ],
    "2 a fresh process per cell, fixed threads, recorded affinity": [
        "test_runner.py::test_every_way_to_fail_has_a_row_with_its_reason",
        "test_affinity.py::test_a_worker_is_tied_to_the_cpus_it_is_given",
        "test_affinity.py::test_a_cell_gets_as_many_cpus_as_it_has_threads",
        "test_affinity.py::test_a_record_names_the_cpus_and_the_threads",
    ],
    "3 timing cells run one at a time per machine; others are marked": [
        "test_turns.py::test_who_wants_to_be_alone_waits_for_the_others_and_they_for_it",
        "test_runner.py::test_cells_beside_others_lose_their_claim_to_comparable_time",
        "test_lanes.py::test_the_cells_at_both_sides_of_a_disturbed_pulse_come_again_at_the_end",
        "test_cluster_spread.py::test_no_two_cells_whose_times_count_are_out_on_one_machine",
    ],
    "4 seeds, initial weights and batches are shared, so differences are paired; blocks are shuffled": [
        "test_runner.py::test_seeds_are_paired_across_solvers",
        "test_training.py::test_every_solver_sees_the_same_batches",
        "test_plan.py::test_a_block_holds_every_solver_once_before_the_next_seed_begins",
        "test_plan.py::test_blocks_are_shuffled_differently",
    ],
    "5 the clock sees training steps alone": [
        "test_clock.py",
        "test_training.py::test_warm_up_leaves_weights_and_random_numbers_alone",
        "test_compiled_training.py::test_compiling_within_an_epoch_is_no_part_of_its_time",
    ],
    "6 every planned cell has a row, and failures count as infinity": [
        "test_runner.py::test_every_way_to_fail_has_a_row_with_its_reason",
        "test_report_summary.py::test_a_solver_whose_every_seed_failed_keeps_its_row",
        "test_report_summary.py::test_a_seed_that_never_reached_the_target_counts_as_infinity",
        "test_statistics_profiles.py",
    ],
    "7 costs are compared at equal accuracy, the target fixed before the run": [
        "test_verdicts_solving.py::test_ladders_are_compared_at_the_smallest_error_that_both_enclose",
        "test_verdicts.py::test_time_to_the_target_is_a_ratio_where_every_seed_reaches_it",
        "test_verdicts_solving.py::test_the_levels_are_those_of_the_table",
    ],
    "8 every number has an interval, tests are corrected, and no claim is below the resolution": [
        "test_verdicts.py::test_a_difference_below_the_resolution_is_not_claimed_however_small_its_p_value",
        "test_verdicts.py::test_more_solvers_make_a_claim_harder",
        "test_verdicts.py::test_a_run_that_did_not_measure_its_resolution_claims_nothing_about_time",
        "test_report_summary.py::test_medians_come_with_their_interval",
        "test_aa.py",
        "test_history_aa.py",
    ],
    "9 a trained network is evaluated under another solver and a tight tolerance": ["test_looks.py"],
    "10 times are compared within one machine only": [
        "test_verdicts.py::test_times_beside_others_or_elsewhere_are_not_compared_but_accuracy_is",
        "test_report_comparison.py::test_times_of_two_machines_are_not_compared_but_accuracy_is",
        "test_cluster_spread.py::test_the_times_of_a_block_are_all_of_one_machine",
        "test_history_reading.py::test_two_machines_are_never_one_series",
    ],
}

HERE = Path(__file__).parent


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_held_by_tests_that_exist(rule):
    for name in RULES[rule]:
        file, _, test = name.partition("::")
        tree = ast.parse((HERE / file).read_text("utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert test in tests if test else any(found.startswith("test_") for found in tests), name
