"""A known defect of a library, and the rows of a report that it bears on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ROWS = ("all", "adaptive", "equal steps", "none")


@dataclass(frozen=True)
class Defect:
    """What a reader of the library's rows should know.

    Attributes:
        where: the method, option or situation; a word or two.
        what: a sentence without its full stop.
        rows: which solves it bears on, one of `ROWS`; ``none`` for what the adapter does not let happen.
        methods: the methods it bears on, by the names of rkbench; all when empty.
        gradients: the gradients it bears on; all when empty.
    """

    where: str
    what: str
    rows: str = "all"
    methods: tuple[str, ...] = ()
    gradients: tuple[str, ...] = ()

    def bears_on(self, method: str, adaptive: bool, gradient: str) -> bool:
        """Whether a row of such a solve should mention it."""
        kinds = ("all", "adaptive" if adaptive else "equal steps")
        return (
            self.rows in kinds
            and (not self.methods or method in self.methods)
            and (not self.gradients or gradient in self.gradients)
        )


def remarks(defects: Iterable[Defect], method: str, adaptive: bool, gradient: str) -> tuple[str, ...]:
    """Return ``where: what`` for each defect that bears on such a solve."""
    return tuple(
        f"{defect.where}: {defect.what}" for defect in defects if defect.bears_on(method, adaptive, gradient)
    )
