"""What a trained network may be taken for: that of an ODE, or only of its own steps; and whether batch mates matter."""

from __future__ import annotations

import pandas as pd

from rkbench.report import numbers

DROP, CHANGES = 0.001, 0.002
"""A network is that of an ODE while a tight solve changes its accuracy and its answers by no more than these shares."""


def sentences(summary: pd.DataFrame) -> list[str]:
    """Return what the medians over seeds of one training task say of it, given its rows of `summary.summarise`."""
    return [*_ode(summary), *_batch(summary)]


def is_ode(row: pd.Series) -> bool:
    """Return whether a network stays what it is when its ODE is solved better (Ott et al. 2021, arXiv:2007.15386)."""
    return abs(row["tight_accuracy_change"]) <= DROP and row["tight_label_changes"] <= CHANGES


def _ode(summary: pd.DataFrame) -> list[str]:
    looked = summary[summary["tight_label_changes"].notna()]
    if looked.empty:
        return []
    kept = looked.apply(is_ode, axis=1)
    found = []
    if kept.any():
        found.append(
            f"Networks of an ODE, since solving it at a tight tolerance changes at most {numbers.percent(CHANGES)} % of "
            f"answers and {numbers.percent(DROP)} points of accuracy: {numbers.listed(list(looked['solver'][kept]))}."
        )
    if not kept.all():
        told = [
            f"{row['solver']} ({numbers.percent(row['tight_label_changes'])} % of answers and "
            f"{100 * row['tight_accuracy_change']:+.2f} points)"
            for _, row in looked[~kept].iterrows()
        ]
        found.append(
            "No ODE's, but that of its own steps, since a tight solve changes more (Ott et al. 2021): "
            f"{numbers.listed(told)}. With another solver it is another network."
        )
    return found


def _batch(summary: pd.DataFrame) -> list[str]:
    looked = summary[summary["batch_logit_change"].notna()]
    if looked.empty:
        return []
    told = [
        f"{numbers.percent(row['batch_label_changes'])} % of answers and up to "
        f"{numbers.significant(row['batch_logit_change'])} of a logit with {row['solver']}"
        for _, row in looked.iterrows()
    ]
    return [
        "A batch shares its steps, so an answer depends on who else is asked: samples asked alone change "
        f"{numbers.listed(told)}. With control = 'sample', none would."
    ]
