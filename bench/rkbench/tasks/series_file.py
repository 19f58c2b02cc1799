"""Series from a CSV file: a row for each time at which something was observed, under ``series,time,<values …>``."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from rkbench.errors import DataError

MAUNA_LOA = resources.files("rkbench") / "assets" / "mauna_loa.csv.gz"
"""Weekly carbon dioxide at Mauna Loa, 1958 to 2001, cut into stretches of 250 days; see the README beside it."""

LARGEST = 100 * 2**20
"""Bytes of a file, at most."""

SHORTEST, FEWEST = 4, 5
"""Times of a series, at least, and series of a file."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[float, tuple[float, ...]]
"""A time, and the values then; NaN for one that was not observed."""

Line = tuple[str, list[str]]
"""Where a line stands, as messages say it, and its cells."""

Clock = Callable[[str], float]
"""How a cell becomes a number."""


class SeriesFile(NamedTuple):
    """What a file holds.

    Attributes:
        columns: names of the values.
        series: name -> rows, by rising times.
        sha256: of the content.
    """

    columns: tuple[str, ...]
    series: dict[str, list[Row]]
    sha256: str


def read(file: str) -> SeriesFile:
    """Return the series of a file; of `MAUNA_LOA` where no file is named.

    Raises:
        DataError: the file cannot be read, or a line of it is not as it should be.
    """
    name = Path(file).name or MAUNA_LOA.name
    content = _content(file)
    lines = csv.reader(io.StringIO(_text(name, content), newline=""), strict=True)
    try:
        columns = _columns(name, next(lines, []))
        series = _series(columns, _located(name, lines))
    except csv.Error as error:
        raise DataError(f"{name}, line {lines.line_num}: {error}; mend the quotes or commas there.") from None
    _refuse_too_little(name, series)
    return SeriesFile(columns, series, hashlib.sha256(content).hexdigest())


def sha256(*, file: str = "") -> str:
    """Return the checksum of a file that holds series; what is wrong with it is told before anything is measured."""
    return read(file).sha256


def _content(file: str) -> bytes:
    """Return the bytes of the file, unpacked."""
    if not file:
        return gzip.decompress(MAUNA_LOA.read_bytes())
    try:
        with (gzip.open if file.endswith(".gz") else open)(file, "rb") as opened:
            content = opened.read(LARGEST + 1)
    except (OSError, EOFError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"The series in {file!r:.200} cannot be read: {reason}; give another file.") from None
    if len(content) > LARGEST:
        raise DataError(f"{file!r:.200} holds more than {LARGEST >> 20} MiB; give a part of it.")
    return content


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}, line {line}: this is no UTF-8; save the file with that encoding.") from None


def _columns(name: str, head: list[str]) -> tuple[str, ...]:
    """Return the names of the values, which the first line gives."""
    head = [column.strip() for column in head]
    if head[:2] != ["series", "time"] or len(head) < 3 or not all(head) or len(set(head)) < len(head):
        raise DataError(
            f"{name}, line 1: the columns must be series, time and one or more values, each with a name of its own, "
            f"not {','.join(head)!r:.100}; write them there."
        )
    return tuple(head[2:])


def _series(columns: tuple[str, ...], lines: Iterable[Line]) -> dict[str, list[Row]]:
    """Return the rows of each series, without those that hold no value."""
    series: dict[str, list[Row]] = {}
    clock: Clock | None = None
    for where, cells in lines:
        if len(cells) != len(columns) + 2 or not cells[0]:
            raise DataError(
                f"{where}: there must be {len(columns) + 2} cells, the first with the name of a series; mend the line."
            )
        label, time, *values = cells
        clock = clock or (_days if _is_date(time) else _number)
        t = _parsed(where, "time", time, clock)
        rows = series.setdefault(label, [])
        if rows and not t > rows[-1][0]:
            raise DataError(
                f"{where}: the time {time!r:.40} is not after the one before it in series {label!r:.40}; sort its rows "
                "by time, and merge those of one time."
            )
        if any(values):
            rows.append((t, _values(where, columns, values)))
    return series


def _values(where: str, columns: tuple[str, ...], texts: list[str]) -> tuple[float, ...]:
    pairs = zip(columns, texts, strict=True)
    return tuple(_parsed(where, column, text, _number) if text else math.nan for column, text in pairs)


def _located(name: str, reader: Any) -> Iterator[Line]:
    """Return where each line of a reader stands, and its cells; empty lines are left out."""
    for cells in reader:
        if cells:
            yield f"{name}, line {reader.line_num}", [cell.strip() for cell in cells]


def _parsed(where: str, column: str, text: str, parse: Clock) -> float:
    try:
        value = parse(text)
    except ValueError:
        kind = "date, as the first time is" if parse is _days else "number"
        raise DataError(f"{where}: {column} is {text!r:.40}, which is no {kind}; mend it.") from None
    if not math.isfinite(value):
        raise DataError(f"{where}: {column} is {text!r:.40}; leave a cell empty where nothing was observed.")
    return value


def _number(text: str) -> float:
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _days(text: str) -> float:
    """Return the days from 1970 to a date or a time of day, in UTC where it names no zone."""
    moment = datetime.fromisoformat(text)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) / timedelta(days=1)


def _is_date(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return "-" in text
    return False


def _refuse_too_little(name: str, series: dict[str, list[Row]]) -> None:
    if len(series) < FEWEST:
        raise DataError(
            f"{name} holds {len(series)} series, and {FEWEST} are needed to train with some and test with others; add more."
        )
    for label, rows in series.items():
        if len(rows) < SHORTEST:
            raise DataError(
                f"{name}: series {label!r:.40} was observed at {len(rows)} times, fewer than {SHORTEST}; drop it or add more."
            )
