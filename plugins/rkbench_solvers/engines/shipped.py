"""The methods a library ships, known by their coefficients: names mislead, see ``rk4`` and ``dopri5``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rkbench import ButcherTableau


@dataclass(frozen=True)
class Shipped:
    """A method of a library.

    Attributes:
        theirs: the library's name for it.
        tableau: what it is.
        equal_steps: whether the library runs it on equal steps.
        adaptive: whether the library adapts its steps.
    """

    theirs: str
    tableau: ButcherTableau
    equal_steps: bool = False
    adaptive: bool = False

    def steps_as(self, method: ButcherTableau) -> bool:
        """Whether its steps are those of ``method``."""
        ours = self.tableau
        return (ours.c, ours.a, ours.b) == (method.c, method.a, method.b)

    def estimates_as(self, method: ButcherTableau) -> bool:
        """Whether its error estimates are those of ``method``, too."""
        ours = self.tableau
        return self.steps_as(method) and (
            (ours.b_embedded, ours.b_embedded_low) == (method.b_embedded, method.b_embedded_low)
        )


def find(methods: Sequence[Shipped], method: ButcherTableau, adaptive: bool) -> Shipped | None:
    """Return the method of the library that does what ``method`` does, or None.

    On equal steps nobody looks at the error estimate, so pairs that differ only there are one method.
    """
    for shipped in methods:
        if adaptive and shipped.adaptive and shipped.estimates_as(method):
            return shipped
        if not adaptive and shipped.equal_steps and shipped.steps_as(method):
            return shipped
    return None


def nearest(methods: Sequence[Shipped], method: ButcherTableau, adaptive: bool) -> str:
    """Return what the library has instead of ``method``, as the end of a sentence."""
    for shipped in methods:
        if shipped.estimates_as(method) or (not adaptive and shipped.steps_as(method)):
            return f"its {shipped.theirs} {'takes only' if adaptive else 'takes no'} equal steps"
    for shipped in methods:
        if shipped.theirs == method.name or shipped.steps_as(method):
            return f"its {shipped.theirs} is our {shipped.tableau.name}"
    usable = [s.tableau.name for s in methods if (s.adaptive if adaptive else s.equal_steps)]
    return f"it has only {', '.join(usable)}" if usable else "it has none of the kind"
