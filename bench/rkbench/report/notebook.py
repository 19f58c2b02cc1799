"""A run in a notebook: the first tables, what they rest on, and how to get at the numbers.

It loads nothing, and takes its colors from the page around it, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from rkbench.report import account, numbers, tables
from rkbench.report.table import Cell, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which is shown here

TABLES, ROWS = 3, 20
"""Tables and solvers that are shown at most; a notebook is no place for all of a large run."""

_STYLE = Markup(
    "<style>"
    ".rkbench-run{color:inherit;overflow-x:auto;line-height:1.35}"
    ".rkbench-run table{border-collapse:collapse;margin:.4em 0 .8em}"
    ".rkbench-run caption{text-align:left;font-weight:600;padding:.2em 0}"
    ".rkbench-run :is(th,td){text-align:right;vertical-align:top;padding:.15em .7em;background:none;"
    "border-bottom:1px solid rgba(128,128,128,.35)}"
    ".rkbench-run :is(th,td):first-child{text-align:left}"
    ".rkbench-run small{opacity:.75;white-space:nowrap}"
    "</style>"
)


def render(results: Results) -> str:
    """Return a run as HTML."""
    found = tables.of(results)
    parts = [
        Markup("<b>{}</b><br>{}").format(account.title(results), account.sentence(results)),
        *map(_table, found[:TABLES]),
        _paragraph(_left(found)),
        *(_paragraph(note) for note in results.notes),
        _paragraph(account.denominators(results) + "."),
        Markup("<p><small>{}</small></p>").format(" ".join(tables.captions(found[:TABLES]))),
        Markup("<p>{}</p>").format(_FRAMES),
    ]
    return str(Markup('<div class="rkbench-run">{}{}</div>').format(_STYLE, Markup("").join(parts)))


_FRAMES = Markup(
    "DataFrames: <code>.summary()</code>, <code>.cells</code>, <code>.epochs</code>, <code>.replicas</code>."
)


def _table(one: Table) -> Markup:
    rows = [_row("td", map(_entry, cells)) for cells, _ in zip(one.cells(), range(ROWS), strict=False)]
    more = len(one.rows) - len(rows)
    rest = Markup('<tr><td colspan="{}">and {}</td></tr>').format(
        len(one.columns), numbers.counted(more, "more row")
    )
    return Markup("<table><caption>{}</caption><thead>{}</thead><tbody>{}{}</tbody></table>").format(
        one.title,
        _row("th", (escape(column.heading) for column in one.columns)),
        Markup("").join(rows),
        rest if more else "",
    )


def _row(tag: str, entries: Iterable[Markup]) -> Markup:
    cells = (Markup(f"<{tag}>{{}}</{tag}>").format(entry) for entry in entries)
    return Markup("<tr>{}</tr>").format(Markup("").join(cells))


def _entry(cell: Cell) -> Markup:
    interval = Markup("<br><small>[{}]</small>").format(cell.interval) if cell.interval else Markup("")
    return escape(cell.text) + interval


def _left(found: list[Table]) -> str:
    more = len(found) - TABLES
    return f"{numbers.counted(more, 'more table')} in the report." if more > 0 else ""


def _paragraph(text: str) -> Markup:
    return Markup("<p>{}</p>").format(text) if text else Markup("")
