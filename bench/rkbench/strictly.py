"""A table of a user's TOML, read strictly: a key that nobody reads, and a value of another kind, is a mistake and told."""

from __future__ import annotations

import difflib
from typing import Any

from rkbench.errors import SuiteError


def check_keys(name: str, what: str, raw: dict, types: dict, *, scalars_or_lists: bool = False) -> None:
    """Refuse a table with other keys, or values of other types.

    Args:
        name: of the suite.
        what: its keys are, such as ``solver key``.
        raw: the table.
        types: key → type of its value.
        scalars_or_lists: whether values may be lists of their type as well, which `listed` then tells.

    Raises:
        SuiteError: one that no suite has.
    """
    for key, value in raw.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            raise SuiteError(
                f"Suite {name} has an unknown {what} {key!r:.60}; {f'did you mean {near[0]!r}?' if near else 'remove it.'}"
            )
        if not scalars_or_lists and (not isinstance(value, types[key]) or isinstance(value, bool)):
            raise _strange(name, key, value)


def listed(name: str, key: str, value: Any, kind: Any) -> tuple:
    """Return a value, or a list of values, as a tuple.

    Raises:
        SuiteError: the list is empty, or holds something of another kind.
    """
    values = value if isinstance(value, list) else [value]
    if not values:
        raise SuiteError(f"Suite {name}: {key} is an empty list; name something in it, or leave it out.")
    for entry in values:
        if not isinstance(entry, kind) or (isinstance(entry, bool) and kind is not bool):
            raise _strange(name, key, entry)
    return tuple(values)


def _strange(name: str, key: str, value: Any) -> SuiteError:
    return SuiteError(
        f"Suite {name}: {key} = {value!r:.60} has the wrong type; see a built-in suite for an example."
    )
