"""A copy of a run's records as Parquet, in ``.cache/`` of its folder, which is read instead while it is of these records.

It may be deleted at any time. It is believed only where it names the checksum of all bytes of the records, and of the
code that made it; nothing in it can run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from rkbench import source
from rkbench.plainfiles import CACHE

SMALLEST = 4 * 2**20
"""Bytes of records below which they are read in less than a second, and no cache is made."""

_KEY = b"rkbench"
_compute: Any = compute  # whose functions are made as it is imported, out of sight of a type checker
_STEERING = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
"""Control and format characters."""


def digest(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def get(
    folder: Path, records: str, tables: Mapping[str, Mapping[str, str]], most_rows: int
) -> tuple[dict[str, pd.DataFrame], list[str]] | None:
    """Return the tables and the notes that were kept, or None where they are missing, stale or damaged.

    Args:
        folder: of the run.
        records: checksum of its records.
        tables: columns and their types of each.
        most_rows: of a table; a file of a stranger may unpack to any number of them.
    """
    found, notes = {}, []
    for name, dtypes in tables.items():
        try:
            if pq.read_metadata(_path(folder, name)).num_rows > most_rows:
                return None
            table = pq.read_table(_path(folder, name), columns=list(dtypes), page_checksum_verification=True)
            about = json.loads((table.schema.metadata or {})[_KEY])
            if about["of"] != _of(records):
                return None
            if not all(map(_sound, table.itercolumns())):
                return None
            found[name] = table.to_pandas(ignore_metadata=True)[list(dtypes)].astype(dict(dtypes))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            return None
        notes = about["notes"]
    return found, notes


def _sound(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds nothing that the records could not: no infinity, nothing that steers a terminal."""
    if pa.types.is_floating(column.type):
        return not _compute.any(_compute.is_inf(column)).as_py()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return not _compute.any(_compute.match_substring_regex(column, _STEERING)).as_py()
    return pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)


def put(folder: Path, records: str, tables: Mapping[str, pd.DataFrame], notes: list[str]) -> None:
    """Keep tables and notes, unless the folder cannot be written, which costs no more than time."""
    about = json.dumps({"of": _of(records), "notes": notes})
    with contextlib.suppress(OSError):
        (folder / CACHE).mkdir(exist_ok=True)
        for name, frame in tables.items():
            _write(_path(folder, name), pa.Table.from_pandas(frame, preserve_index=False), about)


def _write(path: Path, table: pa.Table, about: str) -> None:
    """Write a table whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        metadata: dict[Any, Any] = {**(table.schema.metadata or {}), _KEY: about.encode()}
        pq.write_table(table.replace_schema_metadata(metadata), partial, write_page_checksum=True)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return folder / CACHE / f"{name}.parquet"


def _of(records: str) -> str:
    return f"{records} {_code()}"


@cache
def _code() -> str:
    """Return what the tables depend on but the records: our code, and the libraries that read and write them."""
    here = Path(__file__)
    ours = (
        here,
        here.with_name("reading.py"),
        *(here.parents[1] / name for name in ("journal.py", "record.py", "validity.py")),
    )
    return " ".join([*map(source.digest, ours), pd.__version__, pa.__version__])
