"""What reaching a target costs a cell: counted to the epoch that reaches it, infinite where none does or the cell failed."""

import math

import pandas as pd
import pytest
from answers_example import asking, trained
from test_report_example import cell, failed

from rkbench import report
from rkbench.report.answers.costs import ERROR, ERROR_ODE, ODE, SECONDS, TRAINING, USE


def cost(folder, kind, *records, plan=None):
    """Return what cells cost, by method."""
    results = report.load(asking(folder / "run", list(records), ["pendulum"], plan=plan))
    found = kind.table(results.cells, results.epochs)
    return {solver.split()[0]: values.iloc[0] for solver, values in found.items()}


def test_evaluations_are_summed_over_the_epochs_until_the_target(tmp_path):
    found = cost(tmp_path, TRAINING, trained("euler", 0, 3, nfe=10), trained("rk4", 0, 2, nfe=40))
    assert found == {"euler": 30, "rk4": 80}


def test_those_of_the_backward_pass_count_too(tmp_path):
    assert cost(tmp_path, TRAINING, trained("euler", 0, 3, nfe=10, nfe_backward=12)) == {"euler": 66}


def test_a_target_that_was_not_reached_and_a_failure_cost_infinity(tmp_path):
    lost = failed(cell("rk4", task="pendulum"), score="error", target=0.05)
    found = cost(tmp_path, TRAINING, trained("euler", 0, None), lost, trained("midpoint", 0, 1))
    assert found == {"euler": math.inf, "rk4": math.inf, "midpoint": 10}


def test_a_cell_that_has_not_run_costs_nothing_that_is_known(tmp_path):
    done = trained("euler", 0, 1)
    plan = [cell("euler", 0, task="pendulum") | {"cell_id": done.cell_id}, cell("rk4", 0, task="pendulum")]
    assert pd.isna(cost(tmp_path, TRAINING, done, plan=plan)["rk4"])


def test_times_count_where_the_cell_ran_alone(tmp_path):
    beside = trained("rk4", 0, 2, nfe=40, timing_valid=False)
    found = cost(tmp_path, SECONDS, trained("euler", 0, 3), beside)
    assert found["euler"] == pytest.approx(3.0)
    assert pd.isna(found["rk4"])


def test_evaluations_in_use_are_those_of_a_network_that_ends_at_the_target(tmp_path):
    forgot = trained("midpoint", 0, 2, test_score=0.06)
    found = cost(tmp_path, USE, trained("euler", 0, 3, nfe_eval=12), forgot)
    assert found == {"euler": 12, "midpoint": math.inf}


@pytest.mark.parametrize(
    ("change", "holds"), [(0.0, True), (0.005, True), (0.02, False), (-0.5, True), (None, False)]
)
def test_as_an_ode_a_network_counts_where_its_score_holds_when_solved_tightly(tmp_path, change, holds):
    found = cost(tmp_path, ODE, trained("euler", 0, 3, tight_score_change=change), trained("rk4", 0, 1))
    assert found == {"euler": 30 if holds else math.inf, "rk4": 10}


def test_an_accuracy_holds_where_it_does_not_fall_below_the_target(tmp_path):
    def judged(method, change):
        accuracy = {"score": "", "test_score": None, "test_accuracy": 0.96, "target": 0.95}
        record = trained(method, 0, 1, tight_score_change=None, tight_accuracy_change=change, **accuracy)
        for row in record.curve:
            row["test_accuracy"] = 0.96
            del row["test_score"]
        return record

    found = cost(tmp_path, ODE, judged("euler", -0.02), judged("rk4", 0.01))
    assert found == {"euler": math.inf, "rk4": 10}


def test_nothing_is_said_of_an_ode_where_no_network_was_solved_tightly(tmp_path):
    found = cost(tmp_path, ODE, trained("euler", 0, 3, tight_score_change=None))
    assert pd.isna(found["euler"])


def test_the_error_of_a_score_is_the_score_and_of_a_classifier_the_share_of_wrong_answers(tmp_path):
    assert cost(tmp_path, ERROR, trained("euler", 0, 1, test_score=0.03)) == {"euler": 0.03}
    (tmp_path / "classifier").mkdir()
    classifier = trained("euler", 0, 1, score="", test_score=None, test_accuracy=0.97)
    assert cost(tmp_path / "classifier", ERROR, classifier) == {"euler": pytest.approx(0.03)}


def test_a_likelihood_which_may_be_negative_has_an_error_with_a_ratio(tmp_path):
    flow = trained("euler", 0, 1, score="NLL, nats", test_score=-1.0)
    assert cost(tmp_path, ERROR, flow) == {"euler": pytest.approx(math.exp(-1.0))}


def test_the_error_as_an_ode_is_that_of_a_tight_solve(tmp_path):
    found = cost(tmp_path, ERROR_ODE, trained("euler", 0, 1, test_score=0.03, tight_score_change=0.05))
    assert found == {"euler": pytest.approx(0.08)}


def test_a_network_that_cannot_be_solved_tightly_has_an_infinite_error_as_an_ode(tmp_path):
    lost = trained("rk4", 0, 1, test_score=0.03, tight_score_change=None)
    assert cost(tmp_path, ERROR_ODE, trained("euler", 0, 1), lost)["rk4"] == math.inf


def test_a_classifier_without_a_wrong_answer_has_an_error_that_has_a_ratio(tmp_path):
    perfect = trained("euler", 0, 1, score="", test_score=None, test_accuracy=1.0)
    assert 0 < cost(tmp_path, ERROR, perfect)["euler"] < 1e-4


def test_a_cell_that_ran_beside_others_and_never_reached_the_target_says_nothing_of_time(tmp_path):
    beside = trained("rk4", 0, None, timing_valid=False)
    found = cost(tmp_path, SECONDS, trained("euler", 0, 3), beside)
    assert pd.isna(found.get("rk4", math.nan))
