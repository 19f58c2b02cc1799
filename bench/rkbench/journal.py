"""The lines of ``records.jsonl`` as records, one at a time, whatever else a damaged or foreign file holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from rkbench import validity
from rkbench.plainfiles import RECORDS
from rkbench.record import CellStatus, Record

LONGEST = 16 * 2**20
"""Bytes of a line beyond which it is no record; those of ten thousand epochs have two million."""

MOST_NOTES = 50
"""Odd lines that are told one by one."""


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file with their ends; those longer than `LONGEST` in pieces, so that none fills the memory."""
    return iter(lambda: file.readline(LONGEST), b"")


def parsed(lines: Iterable[bytes], notes: list[str]) -> Iterator[Record]:
    """Yield the records of lines, one at a time; where a cell has several, its last one counts.

    Args:
        lines: those of `RECORDS`, all of them, as `pieces` yields them.
        notes: what is odd about a line is added here; of many odd lines, their number.
    """
    seen: dict[str, tuple[object, ...]] = {}
    odd = 0
    for number, line in _whole(lines):
        if not line.strip():
            continue
        try:
            record = read(line)
        except ValueError as error:
            sentence = (
                f"{RECORDS}, line {number} is not a record ({error}) and was left out; "
                "its cell counts as not run."
            )
        else:
            repeats = seen.get(record.cell_id) == (CellStatus.OK, record.attempt, record.engine_version)
            seen[record.cell_id] = (record.status, record.attempt, record.engine_version)
            yield record
            if not repeats:
                continue
            sentence = (
                f"{RECORDS}, line {number} repeats cell {record.cell_id!r:.60}; the last record counts."
            )
        odd += 1
        if odd <= MOST_NOTES:
            notes.append(sentence)
    if odd > MOST_NOTES:
        notes.append(f"And {odd - MOST_NOTES:,} more lines of {RECORDS} are like these.")


def read(line: bytes) -> Record:
    """Return the record of a line.

    Raises:
        ValueError: it is none; the sentence has no full stop.
    """
    if len(line) >= LONGEST:
        raise ValueError(f"it is longer than {LONGEST // 2**20} MiB")
    try:
        row = validity.STRICT.decode(line.decode())
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return Record.from_dict(row)


def _whole(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; of one in pieces, the first, which is as long as no record is."""
    number, within = 0, False
    for line in lines:
        if not within:
            number += 1
            yield number, line
        within = len(line) == LONGEST and not line.endswith(b"\n")
