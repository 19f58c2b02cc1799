"""The records of a run as columns, a few thousand lines at a time, so that many cells need little memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rkbench import journal
from rkbench.record import CURVE_COLUMNS, LOOK_COLUMNS, NESTED, POINT, SIGNAL_COLUMNS, TRACE_COLUMNS, Record
from rkbench.report import cache

_DTYPES = {
    "str": "str",
    "bool": "bool",
    "bool | None": "boolean",
    "int": "int64",
    "int | None": "Int64",
    "float | None": "float64",
}
CELL_DTYPES = {f.name: _DTYPES[str(f.type)] for f in fields(Record) if f.name not in NESTED}
POINT_DTYPES = {
    "curve": {name: "int64" if name == "epoch" else "float64" for name in CURVE_COLUMNS},
    "looks": {name: {"by_method": "str", "by_steps": "Int64"}.get(name, "float64") for name in LOOK_COLUMNS},
    "signal": {name: "int64" if name == "layer" else "float64" for name in SIGNAL_COLUMNS},
    "trace": {name: "int64" if name == "rejected" else "float64" for name in TRACE_COLUMNS},
}
"""Columns of what is nested in a record, and their types."""

_TABLES = {"cells": CELL_DTYPES} | {
    name: {"cell_id": "str"} | dtypes for name, dtypes in POINT_DTYPES.items()
}
_FEWEST_BYTES = 2
"""Of a row in the records, however it is nested."""

_AT_ONCE = 4096
"""Records held as objects."""

_values = attrgetter(*CELL_DTYPES)


@dataclass(frozen=True)
class Recorded:
    """What a run recorded, as columns.

    Attributes:
        cells: one row per cell, its last record, in the order of these.
        points: for every nested column its rows, with the id of their cell, in the same order.
        notes: what was odd about the file, in sentences.
    """

    cells: pd.DataFrame
    points: dict[str, pd.DataFrame]
    notes: list[str]


def recorded(folder: Path) -> Recorded:
    """Read the records of a run folder, or their cache where it is of these very bytes and this code."""
    path = folder / journal.RECORDS
    if not path.exists():
        return _read([])
    if path.stat().st_size < cache.SMALLEST:
        with path.open("rb") as file:
            return _read(journal.pieces(file))
    kept = cache.get(folder, cache.digest(path), _TABLES, most_rows=path.stat().st_size // _FEWEST_BYTES)
    if kept is not None:
        tables, notes = kept
        return Recorded(tables.pop("cells"), tables, notes)
    # What is kept is of what was read, whatever a run in progress appends meanwhile.
    digest = hashlib.sha256()
    with path.open("rb") as file:
        read = _read(_digested(journal.pieces(file), digest))
    cache.put(folder, digest.hexdigest(), {"cells": read.cells} | read.points, read.notes)
    return read


def frame(records: Sequence[Record]) -> pd.DataFrame:
    """Return records as rows, without what is nested in them."""
    columns = zip(*map(_values, records), strict=True) if records else [()] * len(CELL_DTYPES)
    named = zip(CELL_DTYPES.items(), columns, strict=True)
    # Told the type of a column, pandas need not guess it first.
    return pd.DataFrame({name: pd.Series(values, dtype=dtype) for (name, dtype), values in named})


def of_plan(found: Recorded, plan: Sequence[dict[str, Any]]) -> Recorded:
    """Return what was recorded without the cells that name another point of the matrix than the plan does, with a note."""
    planned = found.cells[["cell_id"]].merge(_points_of(plan), on="cell_id", how="left", indicator=True)
    other = pd.Series(False, found.cells.index)
    for name in planned.columns.drop(["cell_id", "_merge"]):
        ours, theirs = found.cells[name], planned[name]
        other |= ~((ours == theirs) | (ours.isna() & theirs.isna())).fillna(False).astype(bool)
    other &= planned["_merge"] == "both"
    if not other.any():
        return found
    ids = found.cells.loc[other, "cell_id"]
    note = f"{len(ids)} recorded cells are not what the plan calls so and were left out, such as {ids.iloc[0]!r:.60}."
    points = {
        name: rows[~rows["cell_id"].isin(ids)].reset_index(drop=True) for name, rows in found.points.items()
    }
    return Recorded(found.cells[~other].reset_index(drop=True), points, [*found.notes, note])


def _points_of(plan: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the points of the matrix that the plan names, the columns that all of its cells have."""
    names = ["cell_id", *(name for name in POINT if all(name in cell for cell in plan))]
    return pd.DataFrame(
        {name: pd.Series([cell[name] for cell in plan], dtype=CELL_DTYPES[name]) for name in names}
    )


def _digested(lines: Iterable[bytes], digest: Any) -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def _read(lines: Iterable[bytes]) -> Recorded:
    notes: list[str] = []
    cells = [frame([])]
    points = {name: _Points(dtypes) for name, dtypes in POINT_DTYPES.items()}
    records = journal.parsed(lines, notes)
    while chunk := list(islice(records, _AT_ONCE)):
        cells.append(frame(chunk))
        for name, gathered in points.items():
            gathered.add([getattr(record, name) for record in chunk])
    every = pd.concat(cells, ignore_index=True)
    last = ~every["cell_id"].duplicated(keep="last")
    of_last = {name: gathered.of(every["cell_id"], last.to_numpy()) for name, gathered in points.items()}
    return Recorded(every[last].reset_index(drop=True), of_last, notes)


class _Points:
    """The rows nested in one column of the records, gathered chunk by chunk.

    Arrow takes them out of their dictionaries in a tenth of the time that pandas needs.
    """

    def __init__(self, dtypes: dict[str, str]) -> None:
        self.dtypes = dtypes
        # All numbers as such in which one may be missing, until it is known that none is.
        self.type = pa.struct(
            [(name, pa.string() if dtype == "str" else pa.float64()) for name, dtype in dtypes.items()]
        )
        self.parts: list[pa.RecordBatch] = []
        self.counts: list[int] = []

    def add(self, nested: Sequence[Sequence[dict[str, Any]]]) -> None:
        """Add the rows of further records."""
        self.counts += map(len, nested)
        rows = pa.array(list(chain.from_iterable(nested)), self.type)
        self.parts.append(pa.RecordBatch.from_struct_array(rows))

    def of(self, ids: pd.Series, chosen: np.ndarray) -> pd.DataFrame:
        """Return the rows of the chosen records, whose cells' ids are given as those of all, with these."""
        record = np.repeat(np.arange(len(ids)), self.counts)
        kept = chosen[record]
        rows = pa.Table.from_batches(self.parts, pa.schema(self.type.fields)).to_pandas().astype(self.dtypes)
        found = rows[kept].reset_index(drop=True)
        found.insert(0, "cell_id", ids.take(record[kept]).reset_index(drop=True))
        return found
