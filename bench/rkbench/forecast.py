"""How long a plan will still take: what each solver took on each task, and no guess where that is not known yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from rkbench.plan import Cell


class Forecast:
    """The time left, solver by solver: a plan's cells differ by orders of magnitude, so that their mean tells nothing.

    Nothing is said before the first block, a task with one seed, is through: it holds every solver once.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        cells = [cell for cell in cells if not cell.unavailable]
        self._left = Counter(_kind(cell) for cell in cells)
        self._tasks = list(dict.fromkeys(cell.task for cell in cells))
        self._unseen = Counter((cell.task, cell.seed) for cell in cells)
        self._seen: set[str] = set()
        self._seconds: dict[Cell, list[float]] = {}
        self._begun: float | None = None
        self._running: dict[str, tuple[Cell, float]] = {}
        self._clocked = 0.0

    @property
    def blocks(self) -> int:
        """Blocks of which every cell was measured at least once."""
        return sum(not left for left in self._unseen.values())

    def started(self, cell: Cell, now: float) -> None:
        """Take note that a cell has begun, at so many seconds of a clock that never goes back."""
        if not cell.unavailable:
            self._begun = now if self._begun is None else self._begun
            self._running[cell.cell_id] = (_kind(cell), now)

    def ended(self, cell: Cell, now: float, again: bool) -> None:
        """Take note that a cell has ended; one that comes again is still to be done."""
        if cell.unavailable:
            return
        kind, started = self._running.pop(cell.cell_id)
        self._seconds.setdefault(kind, []).append(now - started)
        self._clocked = now
        self._left[kind] -= not again
        if cell.cell_id not in self._seen:
            self._seen.add(cell.cell_id)
            self._unseen[cell.task, cell.seed] -= 1

    def left(self, now: float) -> float | None:
        """Return the seconds left of the cells whose solver was measured on their task; None before the first block."""
        if not self.blocks or self._begun is None:
            return None
        work = sum(count * self._mean(kind) for kind, count in self._left.items() if kind in self._seconds)
        under_way = sum(
            min(now - started, self._mean(kind))
            for kind, started in self._running.values()
            if kind in self._seconds
        )
        return max(0.0, work - under_way) * self._pace()

    def unknown(self) -> list[str]:
        """Return the tasks with cells left whose solver was not measured yet, in the order of the plan."""
        waiting = {kind.task for kind, count in self._left.items() if count and kind not in self._seconds}
        return [task for task in self._tasks if task in waiting]

    def _mean(self, kind: Cell) -> float:
        return sum(self._seconds[kind]) / len(self._seconds[kind])

    def _pace(self) -> float:
        """Return how long the plan took for a second of its cells: above 1 for what is between them, below beside others."""
        spent = sum(map(sum, self._seconds.values()))
        return (self._clocked - (self._begun or 0.0)) / spent if spent else 1.0


def _kind(cell: Cell) -> Cell:
    """Return what a cell shares with those that take as long: its solver and its task."""
    return replace(cell, cell_id="", seed=0, replica=0)


def spoken(seconds: float) -> str:
    """Return a time as it is spoken of: ``40 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
