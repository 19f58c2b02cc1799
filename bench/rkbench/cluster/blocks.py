"""Which cell a machine measures next: a block, one task with one seed, stays on one machine, where its times are pairs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rkbench.plan import Cell

Block = tuple[str, int] | str
"""A task and a seed; or a single cell, where times do not count."""


def homes(cells: Iterable[Cell], hosts: Mapping[str, str]) -> dict[Block, str]:
    """Return block -> machine that measured cells of it, the last one where several did.

    Args:
        cells: those of the run.
        hosts: cell id -> machine that measured it.
    """
    return {(cell.task, cell.seed): hosts[cell.cell_id] for cell in cells if cell.cell_id in hosts}


class Try(NamedTuple):
    """One measurement of a cell.

    Attributes:
        cell: what is measured.
        attempt: which measurement it is, from 1; above 1 after a disturbance.
        lost: addresses of the workers that ended while they measured it.
    """

    cell: Cell
    attempt: int = 1
    lost: tuple[str, ...] = ()


class Blocks:
    """The cells that wait, in the order of the plan.

    Args:
        cells: those to measure.
        whole: whether the cells of a block are to be measured on one machine, because their times count.
        homes: block -> machine that measured others of its cells in an earlier session.
    """

    def __init__(
        self, cells: Iterable[Cell], *, whole: bool, homes: Mapping[Block, str] | None = None
    ) -> None:
        self._whole = whole
        self._tries: dict[Block, deque[Try]] = {}
        for cell in cells:
            self._tries.setdefault(self._block(cell), deque()).append(Try(cell))
        homes = homes or {}
        self._home = {block: homes[block] for block in self._tries if block in homes}
        self._free = deque(block for block in self._tries if block not in self._home)
        self._taken: dict[str, deque[Block]] = {}
        for block, host in self._home.items():
            self._taken.setdefault(host, deque()).append(block)

    def __bool__(self) -> bool:
        """Return whether any cell waits."""
        return bool(self._tries)

    @property
    def hosts(self) -> set[str]:
        """Machines that blocks with waiting cells are tied to."""
        return {host for host, blocks in self._taken.items() if blocks}

    def next(self, host: str) -> Try | None:
        """Return what a machine is to measure next; None when nothing is left for it."""
        own = self._taken.setdefault(host, deque())
        if not own and self._free:
            block = self._free.popleft()
            if self._whole:
                self._home[block] = host
            own.append(block)
        if not own:
            return None
        tries = self._tries[own[0]]
        found = tries.popleft()
        if not tries:
            del self._tries[own.popleft()]
        return found

    def put_back(self, again: Try) -> None:
        """Let a cell wait once more, for the machine of its block if there is one."""
        block = self._block(again.cell)
        if block not in self._tries:
            self._tries[block] = deque()
            home = self._home.get(block)
            (self._free if home is None else self._taken.setdefault(home, deque())).append(block)
        self._tries[block].append(again)

    def release(self, host: str) -> None:
        """Let other machines take the blocks of one that is gone, first of all."""
        for block in reversed(self._taken.pop(host, deque())):
            self._home.pop(block, None)
            self._free.appendleft(block)

    def _block(self, cell: Cell) -> Block:
        return (cell.task, cell.seed) if self._whole else cell.cell_id
