"""A run folder: the manifest and the records, appended by one writer at a time and never rewritten.

``records.jsonl`` holds one line per cell. Each is written whole, flushed and fsynced under a lock, so a process
killed at any moment leaves at most one torn last line, which is moved aside to ``records.torn`` and told.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from rkbench import journal, plainfiles, reserve
from rkbench import manifest as manifests
from rkbench.errors import RunError
from rkbench.plainfiles import LOCK, MANIFEST, PARTIAL, RECORDS, RESERVE, TORN
from rkbench.record import POINT, Record

_BLOCK = 2**20
"""Bytes that are read at once, from the end, to find the last line."""


@dataclass(frozen=True)
class Ledger:
    """What a run folder holds: the manifest, one record per measured cell, and what was odd about the file."""

    manifest: dict[str, Any]
    records: list[Record]
    notes: list[str] = field(default_factory=list)


def read(folder: str | Path) -> Ledger:
    """Read a run folder without changing it.

    Raises:
        RunError: there is no readable manifest.
    """
    folder = Path(folder)
    manifest, notes = read_manifest(folder), list[str]()
    found: dict[str, Record] = {}
    for record in _parsed(folder, notes):
        found.pop(record.cell_id, None)
        found[record.cell_id] = record
    return Ledger(manifest, list(found.values()), notes)


def read_manifest(folder: Path, known: Mapping[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return what a run folder says was planned, on what and with what; ``known`` are cells, see `manifest.parse`.

    Raises:
        RunError: there is no readable manifest, or the folder holds what no run makes.
    """
    plainfiles.check(folder)
    try:
        return manifests.parse((folder / MANIFEST).read_text(encoding="utf-8"), known)
    except FileNotFoundError:
        raise RunError(
            f"{folder} is not a run: it has no {MANIFEST}; give the folder that `rkbench run` named."
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder / MANIFEST} is not the manifest of a run ({error}); restore it or start a new run."
        ) from None


class Outcome(NamedTuple):
    """How a cell ended, by which version of its engine's library, on which host, and after how many seconds."""

    status: str
    engine_version: str
    host: str = ""
    seconds: float | None = None


def outcomes(folder: Path, planned: Mapping[str, Any]) -> dict[str, Outcome]:
    """Return how the planned cells ended, whatever became of the manifest; a hundred thousand need little memory.

    Args:
        folder: of the run.
        planned: the cells by their id. A record that names another point of the matrix than its cell is none of it.
    """
    point = attrgetter(*POINT)
    found = {}
    for record in _parsed(folder, []):
        cell = planned.get(record.cell_id)
        if cell is not None and point(cell) == point(record):
            found[record.cell_id] = Outcome(
                sys.intern(record.status),
                sys.intern(record.engine_version),
                sys.intern(record.host),
                record.wall_seconds,
            )
    return found


def _parsed(folder: Path, notes: list[str]) -> Iterator[Record]:
    plainfiles.check(folder)
    path = folder / RECORDS
    if path.exists():
        with path.open("rb") as file:
            yield from journal.parsed(journal.pieces(file), notes)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest whole or not at all.

    Raises:
        RunError: the disk is full or the folder not writable.
    """
    partial = folder / PARTIAL
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines(manifests.pieces(manifest))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / MANIFEST)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise _unwritable(folder / MANIFEST, error) from None


def _unwritable(path: Path, error: OSError, kept: str = "") -> RunError:
    return RunError(
        f"{path} could not be written ({error.strerror}): free some space or permissions and give the same "
        f"command again; every cell measured before is kept{kept and ', '}{kept}."
    )


class Writer:
    """The one process that appends to a run; `opened` makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, record: Record) -> None:
        """Append one record and return when it is on the disk.

        Raises:
            RunError: the disk is full or the folder not writable; nothing measured before is lost.
        """
        line = (record.to_json() + "\n").encode()
        try:
            self._write(line)
        except OSError as error:
            if error.errno not in reserve.FULL or not reserve.give_up(self.folder):
                raise _unwritable(self.folder / RECORDS, error) from None
            self._save(line)
            raise _unwritable(self.folder / RECORDS, error, "this last one included") from None

    def _save(self, line: bytes) -> None:
        """Write the record in hand into the room that was held for it."""
        try:
            self._write(line)
        except OSError as error:
            raise _unwritable(self.folder / RECORDS, error) from None

    def _write(self, line: bytes) -> None:
        """Append a line, or leave the file as it was."""
        path = self.folder / RECORDS
        # Without a buffer: what a full disk refused must not be written later, when the file is closed.
        with path.open("ab", buffering=0) as file:
            start = file.tell()
            try:
                written = 0
                while written < len(line):
                    written += file.write(line[written:])
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(path, start)
                raise

    def hold_reserve(self) -> None:
        """Hold room for the record in hand; it is given up when the folder is closed, or the disk is full.

        Raises:
            RunError: the disk is full already, or the folder not writable.
        """
        try:
            reserve.hold(self.folder)
        except OSError as error:
            raise _unwritable(self.folder / RESERVE, error) from None

    def mend(self) -> list[str]:
        """End the last line, if a killed run did not: a whole record stays, a torn one is moved aside and told."""
        path = self.folder / RECORDS
        try:
            start, torn = _last_line(path)
            if not torn:
                return []
            if len(torn) < journal.LONGEST and _is_record(torn):
                with path.open("ab") as file:
                    file.write(b"\n")
                return []
            with (self.folder / TORN).open("ab") as file:
                file.write(torn + b"\n")
            os.truncate(path, start)
        except OSError as error:
            raise _unwritable(path, error) from None
        return [
            f"The last line of {RECORDS} was torn by a killed run; it is kept in {TORN} and its cell runs again."
        ]


def _is_record(line: bytes) -> bool:
    try:
        journal.read(line)
    except ValueError:
        return False
    return True


def _last_line(path: Path) -> tuple[int, bytes]:
    """Return where the last line starts, and what there is of it: nothing where the file ends with the end of a line."""
    if not path.exists():
        return 0, b""
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        while start:
            before = max(0, start - _BLOCK)
            file.seek(before)
            end_of_line = file.read(start - before).rfind(b"\n") + 1
            start = before + end_of_line
            if end_of_line:
                break
        file.seek(start)
        return start, file.read()


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Writer]:
    """Hold the run folder as its one writer.

    Raises:
        RunError: another process writes there, or the folder cannot be made, or holds what no run makes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        plainfiles.check(folder)
        lock = (folder / LOCK).open("a")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written ({error.strerror}); choose another folder with --out."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"{folder} is being written by another `rkbench run`; wait for it, or choose another folder with --out."
            ) from None
        try:
            yield Writer(folder)
        finally:
            reserve.give_up(folder)
