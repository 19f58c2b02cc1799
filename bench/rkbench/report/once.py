"""What is made of a run once, however many documents tell it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from rkbench.report.results import Results

Made = TypeVar("Made")


def once(make: Callable[[Results], list[Made]]) -> Callable[[Results], list[Made]]:
    """Return a function that keeps what it made of a run as long as the run is there."""
    kept: WeakKeyDictionary[Results, tuple[Made, ...]] = WeakKeyDictionary()

    @wraps(make)
    def of(results: Results) -> list[Made]:
        if results not in kept:
            kept[results] = tuple(make(results))
        return list(kept[results])

    return of
