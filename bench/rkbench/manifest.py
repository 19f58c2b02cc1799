"""What a manifest may hold: a schema as data, and the reading of a text against it.

A manifest may be damaged, or come from a stranger; what its readers take for granted is asked for here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rkbench import record, validity
from rkbench.printable import cleaned

SCALAR = (str, int, float, bool, None)
PUBLISHED = {
    **dict.fromkeys(("train_seconds", "test_accuracy", "train_accuracy"), (int, float)),
    "test_error": (int, float, str),
    "test_score": (int, float, str),
    "*": (str, int, float, bool),
}
"""A row published elsewhere; numbers that a report computes with must be numbers."""

SCHEMA: dict[str, Any] = {
    "suite": {
        "name": str,
        "title": str,
        "baseline": str,
        "solvers": [{"method!": (str, [str])}],
        "reference": [PUBLISHED],
    },
    "question": [{"ask!": str, "tasks!": [str], "low": [str], "high": [str]}],
    "plan": [{"cell_id!": str}],
    "reference": [PUBLISHED],
    "methods": {"*": {"order!": int, "stages!": int, "stability!": [(int, float)]}},
    "versions": {"*": (str, None)},
    "machine": {"*": (*SCALAR, [SCALAR])},
    "data": {"*": {"sha256!": str, "train": int, "test": int}},
    "commit": (str, None),
    "command": (str, [str]),
    "started_at": str,
    "sessions": [str],
    "threads": int,
}
"""Name -> what it holds: a type, a choice of several, a list of one kind, or an object.

A name with ``!`` must be there; ``*`` stands for all names that are not given; others may hold anything.
"""


def parse(text: str, known: Mapping[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the manifest of a JSON text.

    Args:
        text: of the file.
        known: planned cells by their id, which stand for those of the text, so that a hundred thousand are not held twice.

    Raises:
        ValueError: it is no manifest; the sentence has no full stop.
    """
    try:
        found = (_decoder(known) if known else validity.STRICT).decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\" in text or not text.isascii():
        found = cleaned(found)
    refuse(found, SCHEMA, "it")
    seen: set[str] = set()
    for cell in found.get("plan", ()):
        record.refuse_cell(cell)
        if cell["cell_id"] in seen:
            raise ValueError(f"cell {cell['cell_id']!r:.60} is planned twice")
        seen.add(cell["cell_id"])
    return found


def _decoder(known: Mapping[str, dict[str, Any]]) -> json.JSONDecoder:
    def ours(row: dict[str, Any]) -> dict[str, Any]:
        name = row.get("cell_id")
        return known.get(name, row) if isinstance(name, str) else row

    return json.JSONDecoder(parse_constant=validity.no_number, object_hook=ours)


def pieces(manifest: dict[str, Any]) -> Iterator[str]:
    """Yield the text of a manifest: a line for each planned cell, which is read and written several times as quickly."""
    yield "{"
    for place, (name, value) in enumerate(sorted(manifest.items())):
        yield f"{',' if place else ''}\n {json.dumps(name)}: "
        if name == "plan":
            for number, cell in enumerate(value):
                yield f"{',' if number else '['}\n  {json.dumps(cell, sort_keys=True)}"
            yield "\n ]" if value else "[]"
        else:
            yield json.dumps(value, indent=1, sort_keys=True).replace("\n", "\n ")
    yield "\n}\n"


def refuse(value: Any, kind: Any, where: str) -> None:
    """Refuse a value that is not of a kind of `SCHEMA`.

    Raises:
        ValueError: it is not; ``where`` begins the sentence.
    """
    if isinstance(kind, tuple):
        _refuse_choice(value, kind, where)
    elif isinstance(kind, dict):
        _refuse_object(value, kind, where)
    elif isinstance(kind, list):
        if type(value) is not list:
            raise ValueError(f"{where} is no list")
        for entry in value:
            refuse(entry, kind[0], f"an entry of {where}")
    elif kind is None:
        if value is not None:
            raise ValueError(f"{where} is not empty")
    elif type(value) is not kind or not validity.finite(value):
        raise ValueError(f"{where} is {value!r:.60}, which is of another type or out of range")


def _refuse_choice(value: Any, kinds: tuple[Any, ...], where: str) -> None:
    problems = []
    for kind in kinds:
        try:
            return refuse(value, kind, where)
        except ValueError as error:
            problems.append(error)
    raise problems[0]


def _refuse_object(value: Any, kinds: dict[str, Any], where: str) -> None:
    if type(value) is not dict:
        raise ValueError(f"{where} is no object")
    known = {name.rstrip("!"): kind for name, kind in kinds.items()}
    for name in kinds:
        if name.endswith("!") and name[:-1] not in value:
            raise ValueError(f"{where} has no {name[:-1]}")
    for name, entry in value.items():
        kind = known.get(name, known.get("*"))
        if kind is not None:
            refuse(entry, kind, f"{name!r:.60} of {where}")
