"""Every training report says which networks are those of an ODE, and what batch mates change."""

import pandas as pd

from rkbench.report import trust


def row(solver, **measured):
    nothing = dict.fromkeys(
        ("tight_accuracy_change", "tight_label_changes", "batch_logit_change", "batch_label_changes"),
        float("nan"),
    )
    return {"solver": solver} | nothing | measured


def said(*rows):
    return trust.sentences(pd.DataFrame(list(rows)))


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
