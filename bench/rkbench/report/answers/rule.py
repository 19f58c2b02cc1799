"""From what may be said of each task to the answer of a question, by one rule for every question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rkbench.report.answers.comparison import Comparison

Finding = Literal["pays", "costs", "same", "undecided", "unreached"]
"""Of higher order on a task: it errs less, or takes less to reach the target; more; the same; unknown; or of neither side."""

Word = Literal["yes", "no", "it depends", "undecided"]
"""Whether higher order is better: on all tasks, on none, on some and not on others."""

_FINDINGS: dict[str, Finding] = {"less": "pays", "more": "costs", "same": "same", "undecided": "undecided"}


def finding(one: Comparison) -> Finding:
    """Return what was found on a task."""
    if one.seeds and not any(one.reached):
        return "unreached"
    return _FINDINGS[one.decision.claim]


@dataclass(frozen=True)
class Answer:
    """What all tasks of a question say together.

    Attributes:
        word: the answer.
        open: whether tasks are left on which nothing could be told, and which might make it another.
    """

    word: Word
    open: bool


def answer(found: Sequence[Finding], *, partial: bool = False) -> Answer:
    """Return the answer: yes where higher order pays on every task that was decided, no where it pays on none.

    Args:
        found: on each task.
        partial: whether the question is about further tasks, of which nothing is known.
    """
    pays = found.count("pays")
    decided = pays + found.count("costs") + found.count("same")
    left = partial or found.count("undecided") > 0
    if not decided:
        return Answer("undecided", left)
    return Answer("yes" if pays == decided else "no" if not pays else "it depends", left)
