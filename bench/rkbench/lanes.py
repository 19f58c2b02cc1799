"""Cells to records, each in a process of its own: alone, between two pulses of the machine, or several at a time."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rkbench import checkpoints, machine, turns
from rkbench.plan import Cell, blank_record, now
from rkbench.record import CellStatus, Record
from rkbench.sentinel import LIMIT, Pulse, Watch
from rkbench.worker import Worker, feel_pulse, start_cell

ATTEMPTS = 3
"""How often a cell is measured at most, while the machine is disturbed."""

AGAIN = 4
"""One cell in so many may be measured again, and one at least."""


class Watcher(Protocol):
    """Whoever looks on while a plan runs."""

    def planned(self, todo: Sequence[Cell], done: int) -> None:
        """Tell which cells are to run, and how many others an earlier run measured."""

    def started(self, cell: Cell) -> None:
        """Tell that a cell has begun."""

    def epoch(self, cell: Cell, row: dict[str, Any]) -> None:
        """Tell the curve row of an epoch that has ended."""

    def ended(self, cell: Cell, record: Record, again: bool) -> None:
        """Tell that a cell's record is on the disk, and whether the cell will be measured again."""

    def note(self, sentence: str) -> None:
        """Tell something the user should know."""


class Terms(NamedTuple):
    """What holds for every cell of a run.

    Attributes:
        folder: of the run, for checkpoints; records are their owner's to keep.
        files: single-file plugins to load.
        timeout: seconds that the process of a cell may take.
    """

    folder: Path
    files: list[str]
    timeout: float

    def start(self, cell: Cell, attempt: int = 1, *, alone: bool) -> Worker:
        """Start the process of a cell."""
        checkpoint = checkpoints.place(self.folder, cell.cell_id, attempt)
        return start_cell(cell, self.files, checkpoint, alone=alone)


TIMES = ("train_seconds", "solve_seconds", "step_seconds")
"""What a disturbance of the machine spoils; a cell that has none of these is measured once."""

Ended = tuple[Cell, Record, bool]
"""A cell, its record, and whether it will be measured again."""


def skipped(cells: Sequence[Cell], watcher: Watcher) -> Iterator[Ended]:
    """Yield the records of cells whose engine cannot run here."""
    for cell in cells:
        watcher.started(cell)
        record = blank_record(cell)
        record.status, record.message, record.measured_at = CellStatus.SKIPPED, cell.unavailable, now()
        yield cell, record, False


def one_by_one(cells: Sequence[Cell], terms: Terms, watcher: Watcher) -> Iterator[Ended]:
    """Yield each cell with its record; one during which the machine was disturbed comes again, within bounds."""
    watch, left = Watch(), max(1, len(cells) // AGAIN)
    queue = deque((cell, 1) for cell in cells)
    while queue:
        cell, attempt = queue.popleft()
        with turns.alone(watcher.note):
            if not watch.pulses:
                watch.pulses.append(pulse())
            watcher.started(cell)
            record = _ended(cell, terms.start(cell, attempt, alone=True), terms.timeout, watcher)
            watch.pulses.append(pulse())
        record.attempt, record.disturbance = attempt, watch.disturbance()
        disturbed = record.disturbance > LIMIT and any(getattr(record, name) is not None for name in TIMES)
        again = record.status == CellStatus.OK and disturbed and attempt < ATTEMPTS and left > 0
        if again:
            queue.append((cell, attempt + 1))
            left -= 1
        yield cell, record, again


def side_by_side(cells: Sequence[Cell], terms: Terms, watcher: Watcher, jobs: int) -> Iterator[Ended]:
    """Yield each cell with its record as it ends, so many at a time; their times may not be compared."""
    waiting, active = deque(cells), list[tuple[Cell, Worker]]()
    with turns.together(watcher.note):
        try:
            while waiting or active:
                while waiting and len(active) < jobs:
                    cell = waiting.popleft()
                    watcher.started(cell)
                    active.append((cell, terms.start(cell, alone=False)))
                for cell, worker in list(active):
                    record = _poll(cell, worker, terms.timeout, watcher, 0.2 / len(active))
                    if record is not None:
                        active.remove((cell, worker))
                        worker.close()
                        yield cell, record, False
        finally:
            for _, worker in active:
                worker.close()


def pulse() -> Pulse:
    """Return a pulse of the machine, felt by a process of its own, tied to a CPU as a cell is."""
    worker = Worker(feel_pulse, cpus=machine.cpus_for(1))
    try:
        message = worker.message(timeout=60)
    finally:
        worker.close()
    assert message is not None
    return Pulse(*message["pulse"])


def _ended(cell: Cell, worker: Worker, timeout: float, watcher: Watcher) -> Record:
    try:
        while True:
            record = _poll(cell, worker, timeout, watcher, 0.2)
            if record is not None:
                return record
    finally:
        worker.close()


def _poll(cell: Cell, worker: Worker, timeout: float, watcher: Watcher, wait: float) -> Record | None:
    """Return the record when the cell has ended, however it has."""
    try:
        message = worker.message(wait)
    except EOFError:
        sentence = f"The cell's process ended without a record ({worker.ending()})."
        return _failed(cell, CellStatus.CRASHED, sentence, worker)
    if message and "epoch" in message:
        watcher.epoch(cell, message["epoch"])
    if message and "note" in message:
        name = " ".join(filter(None, (cell.task, cell.method, f"seed {cell.seed}")))
        watcher.note(f"{name}: {message['note']}")
    if message and "record" in message:
        return Record.from_dict(json.loads(message["record"]))
    if time.monotonic() - worker.started > timeout:
        sentence = (
            f"The cell took longer than {timeout:g} s; give it longer with --timeout and --retry-failed."
        )
        return _failed(cell, CellStatus.TIMEOUT, sentence, worker)
    return None


def _failed(cell: Cell, status: str, sentence: str, worker: Worker) -> Record:
    """Return the record of a cell that could not write its own."""
    record = blank_record(cell)
    record.status, record.message = status, sentence
    record.wall_seconds, record.measured_at = time.monotonic() - worker.started, now()
    return record
