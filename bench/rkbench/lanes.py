"""Cells to records, each in a process of its own: alone, between two pulses of the machine, or several at a time."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rkbench import checkpoints, journal, machine, turns
from rkbench.errors import RunError
from rkbench.mailbox import Garbled
from rkbench.plan import Cell, blank_record, now
from rkbench.record import CellStatus, Record
from rkbench.sentinel import LIMIT, UNFELT, Pulse, Watch
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
        memory_mb: MiB that all processes of a cell may take together.
    """

    folder: Path
    files: list[str]
    timeout: float
    memory_mb: float = math.inf

    def start(self, cell: Cell, attempt: int = 1, *, alone: bool) -> Worker:
        """Start the process of a cell."""
        checkpoint = checkpoints.place(self.folder, cell.cell_id, attempt)
        return start_cell(cell, self.files, checkpoint, alone=alone)


TIMES = ("train_seconds", "solve_seconds", "step_seconds")
"""What a disturbance of the machine spoils; a cell that has none of these is measured once."""

TOLD = ("epoch", "train_loss", "nfe_forward")
"""What a watcher may count on in the row of an epoch."""

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
        record = alone(cell, attempt, terms, watch, watcher)
        again = spoilt(record) and left > 0
        if again:
            queue.append((cell, attempt + 1))
            left -= 1
        yield cell, record, again


def alone(cell: Cell, attempt: int, terms: Terms, watch: Watch, watcher: Watcher) -> Record:
    """Return the record of a cell that has the machine for itself, between two pulses."""
    with turns.alone(watcher.note):
        if not watch.fresh:
            watch.feel(pulse())
        watcher.started(cell)
        record = _ended(cell, terms.start(cell, attempt, alone=True), terms, watcher)
        watch.feel(pulse())
    record.attempt, record.disturbance = attempt, watch.disturbance()
    return record


def beside(cell: Cell, attempt: int, terms: Terms, watcher: Watcher) -> Record:
    """Return the record of a cell that shares the machine; its times may not be compared."""
    with turns.together(watcher.note):
        watcher.started(cell)
        record = _ended(cell, terms.start(cell, attempt, alone=False), terms, watcher)
    record.attempt = attempt
    return record


def spoilt(record: Record) -> bool:
    """Return whether the machine was disturbed while a cell was timed, and it was not measured too often yet."""
    disturbed = (record.disturbance or 0.0) > LIMIT and any(
        getattr(record, name) is not None for name in TIMES
    )
    return record.status == CellStatus.OK and disturbed and record.attempt < ATTEMPTS


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
                    record = _poll(cell, worker, terms, watcher, 0.2 / len(active))
                    if record is not None:
                        active.remove((cell, worker))
                        _close(cell, worker, watcher)
                        yield cell, record, False
        finally:
            for cell, worker in active:
                _close(cell, worker, watcher)


def pulse() -> Pulse:
    """Return a pulse of the machine, felt by a process of its own, tied to a CPU as a cell is; `UNFELT` if it fails."""
    try:
        worker = Worker(feel_pulse, cpus=machine.cpus_for(1))
    except RunError:  # the record of the cell before is in hand; the next cell's start tells
        return UNFELT
    try:
        message = worker.message(UNFELT.clock)
    except EOFError:
        message = None
    finally:
        worker.close()
    return Pulse(*message["pulse"]) if message else UNFELT


def _ended(cell: Cell, worker: Worker, terms: Terms, watcher: Watcher) -> Record:
    try:
        while True:
            record = _poll(cell, worker, terms, watcher, 0.2)
            if record is not None:
                return record
    finally:
        _close(cell, worker, watcher)


def _close(cell: Cell, worker: Worker, watcher: Watcher) -> None:
    strays = worker.close()
    if strays:
        what = "1 process was" if strays == 1 else f"{strays} processes were"
        watcher.note(f"{_name(cell)}: {what} left running, and ended; let the plugin end what it starts.")


def _poll(cell: Cell, worker: Worker, terms: Terms, watcher: Watcher, wait: float) -> Record | None:
    """Return the record when the cell has ended, however it has."""
    try:
        message = worker.message(wait)
        record = _understood(message, cell, watcher) if message else None
    except EOFError:
        sentence = f"The cell's process ended without a record ({worker.ending()})."
        return _failed(cell, CellStatus.CRASHED, sentence, worker)
    except Garbled as error:
        sentence = f"The cell's process sent what is no message ({error}); let the plugin write to none but its own files."
        return _failed(cell, CellStatus.CRASHED, sentence, worker)
    return record or _exceeding(cell, worker, terms)


def _understood(message: dict[str, Any], cell: Cell, watcher: Watcher) -> Record | None:
    """Tell what a message says, or return the record that it holds.

    Raises:
        Garbled: it says nothing that a cell has to say.
    """
    match message:
        case {"epoch": dict(row)}:
            _check_epoch(row)
            watcher.epoch(cell, row)
        case {"note": str(sentence)}:
            watcher.note(f"{_name(cell)}: {sentence}")
        case {"record": str(text)}:
            return _recorded(text, cell)
        case _:
            raise Garbled(f"{message!r:.40}")
    return None


def _check_epoch(row: dict[str, Any]) -> None:
    if not all(isinstance(row.get(name), (int, float)) for name in TOLD):
        raise Garbled(f"{row!r:.40}")


def _recorded(text: str, cell: Cell) -> Record:
    try:
        record = journal.read(text.encode(errors="surrogatepass"))
    except ValueError as error:
        raise Garbled(f"a record that is none: {error}") from None
    if record.cell_id != cell.cell_id:
        raise Garbled("the record of another cell")
    return record


def _exceeding(cell: Cell, worker: Worker, terms: Terms) -> Record | None:
    """Return the record of a cell that takes more time or memory than it may."""
    if time.monotonic() - worker.started > terms.timeout:
        status, sentence = (
            CellStatus.TIMEOUT,
            f"The cell took longer than {terms.timeout:g} s; give it longer",
        )
        return _failed(cell, status, f"{sentence} with --timeout and --retry-failed.", worker)
    if worker.appetite.excessive(terms.memory_mb):
        status, sentence = (
            CellStatus.OUT_OF_MEMORY,
            f"The cell took more than {terms.memory_mb:.0f} MiB of memory",
        )
        advice = "give it more with --memory-limit, or fewer --jobs, and --retry-failed"
        return _failed(cell, status, f"{sentence}; {advice}.", worker)
    return None


def _name(cell: Cell) -> str:
    return " ".join(filter(None, (cell.task, cell.method, f"seed {cell.seed}")))


def _failed(cell: Cell, status: str, sentence: str, worker: Worker) -> Record:
    """Return the record of a cell that could not write its own."""
    record = blank_record(cell)
    record.status, record.message = status, sentence
    record.wall_seconds, record.measured_at = time.monotonic() - worker.started, now()
    return record
