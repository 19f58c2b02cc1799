"""What the command line prints: a console as wide as it is read, and tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def open_console(stderr: bool = False) -> Console:
    """Return a console on the standard output, or on that of errors."""
    from rich.console import Console

    # In a pipe or log there is no width to fit: wide enough for every table.
    stream = sys.stderr if stderr else sys.stdout
    return Console(width=None if stream.isatty() else 120, highlight=False, stderr=stderr)


def print_table(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows of equal keys under their names."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(rows[0] if rows else ()):
        table.add_column(name, no_wrap=place == 0)  # the first is what users copy
    for row in rows:
        table.add_row(*(escape(_text(value)) for value in row.values()))
    console.print(table)


def _text(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list():
            return "\n".join(map(str, value))
        case _:
            return str(value)
