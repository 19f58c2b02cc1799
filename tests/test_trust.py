"""Every training report says which networks are those of an ODE, and what batch mates change."""

import pandas as pd

from rkbench.record import FLIPS, LOOKED_AT
from rkbench.report import trust
from rkbench.report.trust import Limits


def row(solver, **measured):
    nothing = dict.fromkeys(
        (
            "tight_accuracy_change", "tight_label_changes", "critical_steps", "batch_logit_change", "batch_label_changes",
            "depth",
        ),
        float("nan"),
    )  # fmt: skip
    return {"solver": solver, "ladder": None} | nothing | measured


def said(*rows, tested=10_000):
    return trust.sentences(pd.DataFrame(list(rows)), Limits.of(tested))


def ladder(method, changes):
    """Return the networks of a method by steps, each with the share of answers that a tight solve changes."""
    return [
        row(f"{method} ×{n}", ladder=method, depth=n, tight_label_changes=share, tight_accuracy_change=0.0)
        for n, share in changes.items()
    ]


def test_a_network_that_a_tight_solve_leaves_alone_is_an_odes():
    assert said(row("rk4 ×10", tight_accuracy_change=0.0, tight_label_changes=0.001)) == [
        "Networks of an ODE, since solving it at a tight tolerance changes at most 0.20 % of answers and 0.10 points of "
        "accuracy: rk4 ×10."
    ]


def test_a_network_that_learnt_its_solver_is_named_with_what_changes():
    kept, lost = said(
        row("rk4 ×10", tight_accuracy_change=-0.001, tight_label_changes=0.002),
        row("euler ×2", tight_accuracy_change=-0.05, tight_label_changes=0.12),
    )
    assert kept.endswith("accuracy: rk4 ×10.")
    assert lost == (
        "No ODE's, but that of its own steps, since a tight solve changes more (Ott et al. 2021): euler ×2 (12.00 % of "
        "answers and -5.00 points). With another solver it is another network."
    )


def test_answers_may_change_both_ways_and_leave_the_accuracy():
    [lost] = said(row("euler ×2", tight_accuracy_change=0.0, tight_label_changes=0.03))
    assert lost.startswith("No ODE's")


def test_what_batch_mates_change_is_told_where_a_batch_shares_its_steps():
    [batch] = said(
        row("euler ×10"), row("dopri5 @ 1e-3", batch_logit_change=0.0123, batch_label_changes=0.01)
    )
    assert batch == (
        "A batch shares its steps, so an answer depends on who else is asked: samples asked alone change 1.00 % of answers "
        "and up to 0.0123 of a logit with dopri5 @ 1e-3. With control = 'sample', none would."
    )


def test_nothing_measured_nothing_said():
    assert said(row("no solver")) == []


def test_a_single_sample_may_change_however_few_there_are():
    one = row("rk4 ×10", tight_accuracy_change=1 / 359, tight_label_changes=1 / 359)
    assert said(one, tested=359) == [
        "Networks of an ODE, since solving it at a tight tolerance changes at most 0.28 % of answers, a single one of 359, "
        "and 0.28 points of accuracy: rk4 ×10."
    ]
    assert said(one)[0].startswith("No ODE's")
    assert said(row("rk4 ×10", tight_accuracy_change=0, tight_label_changes=2 / 359), tested=359)[
        0
    ].startswith("No")


def test_an_accuracy_that_changes_by_the_limit_is_within_it_whatever_its_round_off():
    change = 0.953 - 0.952
    assert change > trust.DROP
    assert said(row("rk4 ×10", tight_accuracy_change=change, tight_label_changes=0.001))[0].startswith(
        "Networks"
    )


def test_no_more_samples_are_counted_than_were_looked_at():
    assert Limits.of(60_000).samples == LOOKED_AT
    assert Limits.of(0) == Limits(trust.DROP, FLIPS, 0)


def test_three_numbers_of_steps_of_a_method_bracket_its_critical_step_size():
    rule, bracket = said(*ladder("euler", {32: 0.001, 8: 0.05, 16: 0.002}))
    assert rule.startswith("A network is called an ODE's when")
    assert "0.20 % of answers and 0.10 points" in rule
    assert bracket == (
        "euler: an ODE's network from 16 steps on, not with 8: critical step size between 1/16 and 1/8."
    )


def test_two_numbers_of_steps_are_told_one_by_one():
    kept, lost = said(*ladder("euler", {8: 0.05, 16: 0.002}))
    assert kept.endswith(": euler ×16.")
    assert "euler ×8 (5.00 %" in lost


def test_an_adaptive_solver_is_told_beside_the_ladders():
    adaptive = row("dopri5 @ 1e-3", tight_accuracy_change=0.0, tight_label_changes=0.0)
    first, *_, last = said(adaptive, *ladder("euler", {4: 0.1, 8: 0.05, 16: 0.002}))
    assert first.endswith("accuracy: dopri5 @ 1e-3.")
    assert last.startswith("euler: an ODE's network from 16")


def test_how_few_steps_solve_a_trained_network_is_told_or_where_to_look():
    own = [
        row(f"rk4 ×{n}", tight_label_changes=0.0, tight_accuracy_change=0.0, critical_steps=n / 2)
        for n in (2, 10)
    ]
    assert said(*own)[-1].endswith("its own method, or more: 1 with rk4 ×2 and 5 with rk4 ×10.")
    many = [own[0] | {"solver": f"s{n}", "critical_steps": float(n)} for n in range(1, 20)]
    assert said(*many)[-1].endswith("or more: 1 to 19, as the table has them.")
