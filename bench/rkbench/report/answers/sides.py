"""Two sides of a question: methods of lower and of higher order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from rkbench.report.results import Results

LOW_UP_TO, HIGH_FROM = 2, 4
"""Orders of the sides where a question names no methods: those up to the first, those from the second on."""


@dataclass(frozen=True)
class Sides:
    """A question with the methods of its sides.

    Attributes:
        ask: the question.
        tasks: whose solvers are compared, in rising complexity as the author of the suite ranks them.
        low: methods of lower order.
        high: methods of higher order.
    """

    ask: str
    tasks: tuple[str, ...]
    low: tuple[str, ...]
    high: tuple[str, ...]


def of(results: Results) -> list[Sides]:
    """Return the questions of a run's suite; none where it has none."""
    asked = results.manifest.get("question") or []
    orders = _orders(results) if asked else {}
    low = tuple(method for method, order in orders.items() if order <= LOW_UP_TO)
    high = tuple(method for method, order in orders.items() if order >= HIGH_FROM)
    return [_sides(one, low, high) for one in asked]


def _sides(asked: dict[str, Any], low: tuple[str, ...], high: tuple[str, ...]) -> Sides:
    """Return a question with its own methods, or those of the run's on either side that the other does not name."""
    named = {side: tuple(asked.get(side) or ()) for side in ("low", "high")}
    return Sides(
        asked["ask"],
        tuple(asked["tasks"]),
        named["low"] or tuple(method for method in low if method not in named["high"]),
        named["high"] or tuple(method for method in high if method not in named["low"]),
    )


def _orders(results: Results) -> dict[str, int]:
    """Return the order of every method, of one without a record as the manifest has it."""
    cells = results.cells[results.cells["method"] != ""]
    facts = {name: about["order"] for name, about in results.manifest.get("methods", {}).items()}
    measured = cells.groupby("method", sort=False)["order"].max()
    known = {str(name): facts.get(name) if pd.isna(order) else order for name, order in measured.items()}
    return {name: int(order) for name, order in known.items() if order is not None}
