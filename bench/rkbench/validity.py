"""Whether a parsed line holds what its columns are declared to hold: types, ranges and words, all of them data.

It is asked of every record that is read, so it is written to be quick: a dictionary of what each column may be, one pass
over the values, and passes in C over what is nested.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Any, NamedTuple

_TYPES = {
    "str": {str},
    "bool": {bool},
    "int": {int},
    "float": {int, float},
}
_LARGEST = 2**53
"""Up to here every whole number is one of floating point, too, as which a table may hold it."""

_MOST = {"int": _LARGEST, "float": sys.float_info.max}
"""The largest number of a kind; a literal such as 1e999 is beyond."""


def no_number(text: str) -> None:
    """Refuse NaN and infinities, which Python would read.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{text} is no number of JSON")


STRICT = json.JSONDecoder(parse_constant=no_number)
"""Reads JSON as its standard has it, without NaN and infinities."""

_NUMBERS = frozenset({int, float})

SIGNED = ("*_abscissa", "*accuracy_change", "*score*", "*_loss", "target", "t", "h")
"""Columns whose numbers may be negative."""

SHARES = ("*accuracy", "*label_changes")
"""Columns of shares, 0 to 1."""


class Column(NamedTuple):
    """What a column may hold: the types of its values, and the least and largest number or the words among them."""

    types: frozenset[type]
    least: float
    most: float
    words: Collection[str] = ()


def column(name: str, declared: str, words: Collection[str] = ()) -> Column:
    """Return what a column may hold, given its type as it is declared, such as ``int | None``."""
    kind, _, empty = declared.partition(" | ")
    most = 1.0 if _among(name, SHARES) else _MOST.get(kind, 0)
    least = -most if _among(name, SIGNED) else 0
    return Column(frozenset(_TYPES[kind] | ({type(None)} if empty else set())), least, most, words)


def _among(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def refuse(row: Mapping[str, Any], columns: Mapping[str, Column]) -> bool:
    """Refuse a row with a value that its column does not hold; return whether all of its texts can be printed.

    Raises:
        ValueError: a column that nobody knows, or a value of another type, out of range or not among the words.
    """
    printable = True
    for name, value in row.items():
        if name not in columns:
            raise ValueError(f"there is no column {name!r:.60}")
        types, least, most, words = columns[name]
        kind = type(value)
        if kind not in types:
            raise ValueError(f"{name} is {value!r:.60}, which is of another type")
        if kind is str:
            printable = printable and value.isprintable()
            if words and value not in words:
                raise ValueError(f"{name} is {value!r:.60}, which is none of {', '.join(words)}")
        elif kind in _NUMBERS and (not least <= value <= most or (kind is int and abs(value) > _LARGEST)):
            raise ValueError(f"{name} is {value!r:.60}, which is out of range")
    return printable


def refuse_rows(rows: Any, columns: Mapping[str, Column]) -> bool:
    """Refuse nested rows that are not all of these columns, as `refuse` does; what cannot be empty must be there.

    Raises:
        ValueError: as for `refuse`, or it is no list of rows.
    """
    if type(rows) is not list or not {dict}.issuperset(map(type, rows)):
        raise ValueError("nested rows are not a list of objects")
    if not rows or _plain(rows, columns):
        return True
    needed = {name for name, one in columns.items() if type(None) not in one.types}
    for row in rows:
        if missing := needed - row.keys():
            raise ValueError(f"nested rows lack {', '.join(sorted(missing))}")
    printable = [refuse(row, columns) for row in rows]
    return all(printable)


def _plain(rows: list[dict[str, Any]], columns: Mapping[str, Column]) -> bool:
    """Return whether rows hold every column, each of numbers within its range; others may still be valid."""
    if {len(columns)} != set(map(len, rows)):
        return False
    try:
        values = zip(*map(itemgetter(*columns), rows), strict=True)
    except KeyError:
        return False
    return all(
        _NUMBERS.issuperset(kinds := set(map(type, of_one)))
        and one.types.issuperset(kinds)
        and one.least <= min(of_one)
        and max(of_one) <= (min(one.most, _LARGEST) if int in kinds else one.most)
        for one, of_one in zip(columns.values(), values, strict=True)
    )


def finite(value: Any) -> bool:
    """Return whether a value is no number that is infinite, or too large for a column of whole numbers."""
    return math.isfinite(value) if type(value) is float else type(value) is not int or abs(value) <= _LARGEST
