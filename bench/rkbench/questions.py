"""The questions of a suite, which the report of a run answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from rkbench.errors import SuiteError
from rkbench.printable import printable
from rkbench.strictly import check_keys, listed


@dataclass(frozen=True)
class Question:
    """A question that the report of a run answers: what higher order is worth against lower order.

    Attributes:
        ask: the question, in words.
        tasks: whose solvers are compared, in rising complexity, as the author of the suite ranks them.
        low: methods of lower order; those up to order 2 unless given.
        high: methods of higher order; those from order 4 on unless given.
    """

    ask: str
    tasks: tuple[str, ...]
    low: tuple[str, ...] = ()
    high: tuple[str, ...] = ()


_KEYS = {one.name: str for one in fields(Question)}


def read(name: str, block: Any) -> Question:
    """Return the question of a ``[[question]]`` block of a suite, which must say what it asks and of which tasks.

    Raises:
        SuiteError: it does not, or holds what no question has.
    """
    if not isinstance(block, dict) or not {"ask", "tasks"} <= block.keys():
        raise SuiteError(f"Suite {name}: each [[question]] block needs ask and tasks; add them.")
    check_keys(name, "key of a question", block, _KEYS, scalars_or_lists=True)
    if not isinstance(block["ask"], str) or not block["ask"].strip():
        raise SuiteError(f"Suite {name}: ask = {block['ask']!r:.60} asks nothing; put a question in words.")
    lists = {key: listed(name, key, value, str) for key, value in block.items() if key != "ask"}
    return Question(ask=printable(block["ask"].strip()), **lists)


def check(name: str, question: Question, tasks: Collection[str], methods: Collection[str]) -> None:
    """Refuse a question about what the suite does not run, or that has no two sides.

    Raises:
        SuiteError: it is one.
    """
    for key, known in (("tasks", tasks), ("low", methods), ("high", methods)):
        named: tuple[str, ...] = getattr(question, key)
        for entry in named:
            if entry not in known or named.count(entry) > 1:
                wrong = "twice" if entry in known else "which the suite does not have"
                raise SuiteError(f"Suite {name}: {key} of a question names {entry!r:.60}, {wrong}; mend it.")
    both = sorted(set(question.low) & set(question.high))
    if both:
        raise SuiteError(
            f"Suite {name}: a question has {both[0]!r:.60} both in low and in high; drop it from one."
        )
