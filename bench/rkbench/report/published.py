"""Rows published elsewhere that name a task of ours: a network with its error, size, memory and time, as printed there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rkbench.report import families, numbers

if TYPE_CHECKING:
    from rkbench.report.results import Results  # whose tables have them

Published = dict[str, Any]
"""A row of a suite's ``reference``: ``task``, ``label``, ``source``, and whatever is known of ``dataset``, ``test_error``
(a share, 0 to 1), ``parameters_millions``, ``memory`` and ``time`` (texts, such as ``O(L)``)."""


def rows(results: Results, dataset: str) -> list[Published]:
    """Return the rows that name a task, but those about another dataset."""
    manifest = results.manifest
    known = manifest.get("reference") or manifest.get("suite", {}).get("reference") or []
    return [row for row in known if "task" in row and row.get("dataset", dataset) == dataset]


def beside(row: Published, tasks: Sequence[str]) -> str | None:
    """Return the task that a row stands beside, the one with the fewest options; None where none has its name."""
    return min((task for task in tasks if families.called(task, str(row["task"]))), key=len, default=None)


def sources(found: Sequence[Published]) -> list[str]:
    """Return the different sources of rows, each once, in their order."""
    return list(dict.fromkeys(str(row.get("source", "")) for row in found))


def parameters(row: Published) -> str:
    """Return the number of parameters as published, ``0.22 M``."""
    known = row.get("parameters_millions")
    return numbers.NONE if known is None else f"{known:g} M"


def error(row: Published) -> float:
    """Return the test error, a share; NaN where it was not published."""
    return float(row.get("test_error", math.nan))
