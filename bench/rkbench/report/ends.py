"""How the cells of a solver ended, in counts and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import frames, numbers

_WORDS = {
    CellStatus.NON_FINITE: "became non-finite",
    CellStatus.STEP_UNDERFLOW: "needed steps too small",
    CellStatus.MAX_STEPS: "ran out of steps",
    CellStatus.TIMEOUT: "ran out of time",
    CellStatus.OUT_OF_MEMORY: "ran out of memory",
    CellStatus.PLUGIN_FAILED: "failed by their plugin or engine",
}


@dataclass(frozen=True)
class Ends:
    """The cells of one solver, or of one ladder of solvers, by how they ended.

    Attributes:
        counts: how many cells have a status and message.
    """

    counts: dict[tuple[str, str], int]

    @property
    def ok(self) -> int:
        """How many ended well."""
        return self._of(CellStatus.OK)

    @property
    def failed(self) -> str:
        """How those that failed did so, ``2 of 5 cells diverged``; empty where none did."""
        statuses = dict.fromkeys(status for status, _ in self.counts)
        said = [
            (self._of(status), _WORDS.get(status, status))
            for status in statuses
            if status not in (CellStatus.OK, CellStatus.SKIPPED)
        ]
        if not said:
            return ""
        (number, end), *others = said
        first = f"{number} of {numbers.counted(sum(self.counts.values()), 'cell')} {end}"
        return numbers.listed([first, *(f"{number} {end}" for number, end in others)])

    @property
    def idle(self) -> str:
        """Why no cell ran, as the end of a sentence; empty where one did."""
        if any(status != CellStatus.SKIPPED for status, _ in self.counts):
            return ""
        reasons = [message.rstrip(".") for _, message in self.counts if message != frames.NOT_RUN]
        return f"was skipped: {'; '.join(reasons)}" if reasons else "has not run yet"

    def _of(self, status: str) -> int:
        return sum(count for (one, _), count in self.counts.items() if one == status)


def of(cells: pd.DataFrame) -> Ends:
    """Return how some cells ended."""
    return Ends(
        {
            cast(tuple[str, str], key): int(count)
            for key, count in cells.groupby(["status", "message"], sort=False).size().items()
        }
    )


def by(cells: pd.DataFrame, column: str) -> dict[str, Ends]:
    """Return how the cells of each value of a column ended, in the order in which the values come."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for key, count in cells.groupby([column, "status", "message"], sort=False).size().items():
        name, *how = map(str, cast(tuple, key))
        found.setdefault(name, {})[how[0], how[1]] = int(count)
    return {name: Ends(counts) for name, counts in found.items()}
