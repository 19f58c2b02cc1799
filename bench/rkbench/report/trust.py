"""What a trained network may be taken for: that of an ODE, or only of its own steps; and whether batch mates matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from rkbench.record import FLIPS, LOOKED_AT
from rkbench.report import critical, numbers
from rkbench.report.critical import Ladder

if TYPE_CHECKING:
    from rkbench.report.results import Results  # whose tables have these sentences

DROP = 0.001
"""A network is that of an ODE while a tight solve changes its accuracy by no more than this, and `FLIPS` of its answers."""

_ROUND_OFF = 1e-9
"""A share such as 0.953 - 0.952 is counted as 0.001."""


class Limits(NamedTuple):
    """What a tight solve may change at most, as shares: never less than a single sample.

    Attributes:
        accuracy: of the accuracy.
        answers: of the answers.
        samples: that were looked at; 0 where it is not known.
    """

    accuracy: float = DROP
    answers: float = FLIPS
    samples: int = 0

    @classmethod
    def of(cls, tested: int) -> Limits:
        """Return the limits for a test set of so many samples."""
        samples = min(LOOKED_AT, tested)
        return cls(max(DROP, 1 / samples), max(FLIPS, 1 / samples), samples) if samples else cls()

    @property
    def words(self) -> str:
        """What may change, in words."""
        one = f", a single one of {self.samples}," if self.samples * FLIPS < 1 and self.samples else ""
        return (
            f"at most {numbers.percent(self.answers)} % of answers{one} and {numbers.percent(self.accuracy)} points of "
            "accuracy"
        )


def limits(results: Results, task: str) -> Limits:
    """Return the limits for a training task of a run, whose manifest tells the size of the test set."""
    dataset = results.cells.loc[results.cells["task"] == task, "dataset"].iloc[0]
    return Limits.of(int(results.manifest.get("data", {}).get(dataset, {}).get("test", 0)))


def sentences(summary: pd.DataFrame, limits: Limits) -> list[str]:
    """Return what the medians over seeds of one training task say of it.

    Args:
        summary: its rows of `summary.summarise`, with ``ladder`` and ``depth`` of solvers with equal steps, see `depths`.
        limits: what a tight solve may change.
    """
    looked = summary[summary["tight_label_changes"].notna()]
    laddered = looked.groupby("ladder")["depth"].transform("nunique") >= critical.FEWEST
    return [
        *_ode(looked[~laddered], limits),
        *_brackets(looked[laddered], limits),
        *_sufficient(looked),
        *_batch(summary),
    ]


def is_ode(row: pd.Series, limits: Limits) -> bool:
    """Return whether a network stays what it is when its ODE is solved better (Ott et al. 2021, arXiv:2007.15386)."""
    return (
        abs(row["tight_accuracy_change"]) <= limits.accuracy + _ROUND_OFF
        and row["tight_label_changes"] <= limits.answers + _ROUND_OFF
    )


def _ode(looked: pd.DataFrame, limits: Limits) -> list[str]:
    if looked.empty:
        return []
    kept = looked.apply(is_ode, axis=1, limits=limits)
    found = []
    if kept.any():
        found.append(
            f"Networks of an ODE, since solving it at a tight tolerance changes {limits.words}: "
            f"{numbers.listed(list(looked['solver'][kept]))}."
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


def _brackets(looked: pd.DataFrame, limits: Limits) -> list[str]:
    """Return from which number of steps on each method trains an ODE's network."""
    if looked.empty:
        return []
    ladders = []
    for name, found in looked.groupby("ladder", sort=False):
        rungs = found.sort_values("depth")
        kept = rungs.apply(is_ode, axis=1, limits=limits)
        counts = (tuple(int(depth) for depth in rungs["depth"][chosen]) for chosen in (kept, ~kept))
        ladders.append(Ladder(str(name), *counts))
    rule = (
        f"A network is called an ODE's when solving it at a tight tolerance changes {limits.words} (Ott et al. 2021); "
        "with another solver, any other is another network. Step sizes are shares of the interval."
    )
    return [rule, *critical.sentences(ladders)]


_NAMED = 8
"""Solvers that a sentence names one by one."""


def _sufficient(looked: pd.DataFrame) -> list[str]:
    """Return with how few steps of their own methods trained networks can be solved."""
    known = looked[looked["critical_steps"].notna()]
    if known.empty:
        return []
    counts = known["critical_steps"]
    told = [f"{numbers.count(row['critical_steps'])} with {row['solver']}" for _, row in known.iterrows()]
    least, most = numbers.count(counts.min()), numbers.count(counts.max())
    reach = f"{least} to {most}, as the table has them" if least != most else f"{most} with each"
    return [
        "Once trained, a network answers as its ODE does with so many equal steps of its own method, or more: "
        f"{numbers.listed(told) if len(told) <= _NAMED else reach}."
    ]


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
