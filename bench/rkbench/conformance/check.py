"""What a promise is, and what looking at one gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rkbench.registry import Registry


@dataclass(frozen=True)
class Check:
    """The outcome of one promise, with what was measured."""

    promise: str
    passed: bool
    detail: str


Verdict = tuple[bool, str]
"""(whether it was kept, what was measured)"""


@dataclass(frozen=True)
class Promise:
    """One promise of a kind of thing.

    Attributes:
        text: what is promised.
        measure: looks at one thing, with the registry where names are looked up, and gives a verdict.
        concerns: whether the promise is made by a given thing at all.
    """

    text: str
    measure: Callable[[Any, Registry], Verdict]
    concerns: Callable[[Any], bool] = lambda thing: True

    def check(self, thing: Any, registry: Registry) -> Check:
        """Return whether ``thing`` keeps the promise; an exception while looking breaks it."""
        try:
            passed, detail = self.measure(thing, registry)
        except Exception as error:  # whatever a plugin raises is its answer
            return Check(self.text, False, f"{type(error).__name__}: {error}")
        return Check(self.text, passed, detail)


def check_all(promises: Iterable[Promise], thing: Any, registry: Registry) -> list[Check]:
    """Return one check for each promise that concerns ``thing``."""
    return [promise.check(thing, registry) for promise in promises if promise.concerns(thing)]
