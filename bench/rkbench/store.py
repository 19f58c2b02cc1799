"""A run folder: the manifest and the records, appended by one writer at a time and never rewritten.

``records.jsonl`` holds one line per cell. Each is written whole, flushed and fsynced under a lock, so a process
killed at any moment leaves at most one torn last line, which is moved aside to ``records.torn`` and told.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rkbench.errors import RunError
from rkbench.record import CellStatus, Record

MANIFEST, RECORDS, TORN, LOCK = "manifest.json", "records.jsonl", "records.torn", ".lock"


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
    return Ledger(read_manifest(folder), *_records(folder / RECORDS))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a run folder says was planned, on what and with what.

    Raises:
        RunError: there is no readable manifest.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{folder} is not a run: it has no {MANIFEST}; give the folder that `rkbench run` named."
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder / MANIFEST} cannot be read ({error}); restore it or start a new run."
        ) from None
    if not isinstance(manifest, dict) or not all(
        isinstance(cell, dict) and cell.get("cell_id") for cell in manifest.get("plan", [])
    ):
        raise RunError(f"{folder / MANIFEST} is not the manifest of a run; restore it or start a new run.")
    return manifest


def read_records(folder: Path) -> list[Record]:
    """Return the records of a run folder, one per cell, whatever became of its manifest."""
    return _records(folder / RECORDS)[0]


def _records(path: Path) -> tuple[list[Record], list[str]]:
    """Return the last record of every cell, and a note for each line that is not one, or that tells nothing new."""
    found: dict[str, Record] = {}
    notes: list[str] = []
    if path.exists():
        with path.open("rb") as lines:
            for record in parsed(lines, notes):
                found.pop(record.cell_id, None)
                found[record.cell_id] = record
    return list(found.values()), notes


def parsed(lines: Iterable[bytes], notes: list[str]) -> Iterator[Record]:
    """Yield the records of lines, one at a time; where a cell has several, its last one counts.

    Args:
        lines: those of `RECORDS`, all of them.
        notes: what is odd about a line is added here.
    """
    seen: dict[str, tuple[object, ...]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = Record.from_dict(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            notes.append(
                f"{RECORDS}, line {number} is not a record and was left out; its cell counts as not run."
            )
            continue
        before = seen.get(record.cell_id)
        if before is not None and before == (CellStatus.OK, record.attempt, record.engine_version):
            notes.append(f"{RECORDS}, line {number} repeats cell {record.cell_id}; the last record counts.")
        seen[record.cell_id] = (record.status, record.attempt, record.engine_version)
        yield record


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest whole or not at all.

    Raises:
        RunError: the disk is full or the folder not writable.
    """
    partial = folder / (MANIFEST + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / MANIFEST)
    except OSError as error:
        raise _unwritable(folder / MANIFEST, error) from None


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(
        f"{path} could not be written ({error.strerror}): free some space or permissions and give the same "
        "command again; every cell measured before is kept."
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
        path = self.folder / RECORDS
        try:
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
        except OSError as error:
            raise _unwritable(path, error) from None

    def mend(self) -> list[str]:
        """Move a torn last line aside; return a note when there was one."""
        path = self.folder / RECORDS
        content = path.read_bytes() if path.exists() else b""
        whole, newline, torn = content.rpartition(b"\n")
        if not torn:
            return []
        try:
            with (self.folder / TORN).open("ab") as file:
                file.write(torn + b"\n")
            os.truncate(path, len(whole) + len(newline))
        except OSError as error:
            raise _unwritable(path, error) from None
        return [
            f"The last line of {RECORDS} was torn by a killed run; it is kept in {TORN} and its cell runs again."
        ]


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Writer]:
    """Hold the run folder as its one writer.

    Raises:
        RunError: another process writes there, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
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
        yield Writer(folder)
