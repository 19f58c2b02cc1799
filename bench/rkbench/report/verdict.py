"""The sentence about one solver, and the words it is put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rkbench.report import numbers
from rkbench.report.decisions import Decision
from rkbench.report.statistics import Estimate

TIME_BAND = 1.02
"""Ratio of times within which two solvers are called the same, fixed before any run."""

ACCURACY_BAND = 0.001
"""Difference of test accuracies, 0 to 1, within which they are called the same, fixed before any run."""

Claim = Literal["faster", "slower", "same", "undecided", "failed"]

_CLAIMS: dict[str, Claim] = {"more": "slower", "less": "faster", "same": "same", "undecided": "undecided"}


@dataclass(frozen=True)
class Verdict:
    """What a run says of one solver.

    Attributes:
        task: the task.
        solver: label of the solver, or of the ladder of solvers of one method.
        sentence: what was found, with its uncertainty and whether it may be claimed.
        claim: of its time against the baseline's; ``failed`` where cells did not end ok.
    """

    task: str
    solver: str
    sentence: str
    claim: Claim


def claim(time: Decision) -> Claim:
    """Return the claim of a solver, all of whose cells ended well, from what may be said of its time."""
    return _CLAIMS[time.claim]


def times(found: Estimate) -> str:
    """Return a ratio: ``1.62× [1.55–1.70]``."""
    return _bracketed(f"{numbers.significant(found.median)}×", numbers.significant, found)


def amount(found: Estimate, spell: Callable[[float], str], unit: str) -> str:
    """Return a difference: ``-0.03 points [-0.12 to +0.06]``."""
    return _bracketed(f"{spell(found.median)} {unit}", spell, found)


def points(found: Estimate, spell: Callable[[float], str]) -> str:
    """Return a difference of shares, in points."""
    return amount(found, spell, "points")


def _bracketed(text: str, spell: Callable[[float], str], found: Estimate) -> str:
    interval = numbers.interval(spell, *found)
    return f"{text} [{interval}]" if interval else text


def told_apart(decision: Decision, band: str, resolution: str) -> str:
    """Return what follows an estimate: that it is no difference, or none that could be told; empty after a claim.

    Args:
        decision: what may be said.
        band: the difference that is too small to matter, in words.
        resolution: the smallest difference that may be claimed, in words; empty where it is nothing.
    """
    if decision.why_none or decision.claim in ("more", "less"):
        return ""
    if decision.claim == "same":
        return f": the same within {band}"
    return ": not distinguishable in this run" + (f" (resolution {resolution})" if resolution else "")


def time_apart(decision: Decision, resolution: float | None) -> str:
    """Return `told_apart` of a ratio of times, with the smallest ratio that may be claimed; None where not measured."""
    least = resolution or 1.0
    return told_apart(decision, percent(max(least, TIME_BAND)), percent(least))


def percent(ratio: float) -> str:
    """Return how far a ratio lies above 1, ``3.1 %``."""
    return f"{100 * (ratio - 1):.2g} %"


def joined(clauses: Sequence[str], decisions: Sequence[Decision], counted: str = "") -> str:
    """Return clauses as a sentence.

    Args:
        clauses: what was estimated.
        decisions: behind the clauses; why no verdict was possible is told after them, where that is so.
        counted: a last clause, which is no estimate; empty for none.
    """
    whys = list(dict.fromkeys(one.why_none for one in decisions if one.why_none))
    text = "; ".join(clauses) + (f" (estimates: {'; '.join(whys)})" if whys else "")
    return f"{text}; {counted}." if counted else f"{text}."
