"""Networks published elsewhere, with their error, size, memory and time as printed there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rkbench.report import families, numbers
from rkbench.report.scores import ACCURACY, Score

if TYPE_CHECKING:
    from rkbench.report.results import Results  # whose tables have them

Published = dict[str, Any]
"""A row of a suite's ``reference`` with a ``test_error`` in percent, or a ``test_score`` of a task that has one, ``label``
and ``source``, and whatever is known of
``parameters_millions``, ``memory`` and ``time`` (such as ``O(L)``). ``task`` names what it stands beside, ``dataset`` what it
is about. Numbers may be texts, such as ``0.5 ± 0.1``.
"""

ERROR, SCORE = "test_error", "test_score"


def rows(results: Results, subject: str, judged: Score) -> list[Published]:
    """Return the networks published in a suite that are judged so, but those about other data."""
    manifest = results.manifest
    known = manifest.get("reference") or manifest.get("suite", {}).get("reference") or []
    name = ERROR if judged is ACCURACY else SCORE
    return [row for row in known if name in row and row.get("dataset", subject) == subject]


def beside(row: Published, tasks: Sequence[str]) -> str | None:
    """Return the task that a row stands beside, the one with the fewest options; None where none has its name."""
    named = [task for task in tasks if families.called(task, str(row.get("task")))]
    return min(named, key=len, default=None)


def sources(found: Sequence[Published]) -> list[str]:
    """Return the different sources of rows, each once, in their order."""
    return list(dict.fromkeys(str(row.get("source", "")) for row in found))


def error(row: Published) -> str:
    """Return the test error in percent as published."""
    known = row[ERROR]
    return known if isinstance(known, str) else f"{known:.2f}"


def score(row: Published) -> str:
    """Return the score as published."""
    known = row[SCORE]
    return known if isinstance(known, str) else f"{known:g}"


def parameters(row: Published) -> str:
    """Return the number of parameters as published, ``0.22 M``."""
    known = row.get("parameters_millions")
    return numbers.NONE if known is None else f"{known} M"


def value(row: Published, name: str) -> float:
    """Return a number to sort by; NaN where none was published, or a text."""
    known = row.get(name)
    return float(known) if isinstance(known, (int, float)) else math.nan
