"""The report as Markdown: the same tables and sentences, with the figures beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from rkbench.report import account, conditions, opening, tables, verdicts
from rkbench.report.answers import cost_table, document
from rkbench.report.results import Results
from rkbench.report.table import Cell, Table


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line and in a table, whoever wrote it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))


def render(results: Results, figures: Iterable[tuple[str, str, str]]) -> str:
    """Return the report; ``figures`` are name, title and caption of those in ``figures/``."""
    found = tables.of(results)
    parts = [
        f"# {escape(account.title(results))}",
        escape(f"{account.sentence(results)} {conditions.days(results)}"),
        escape(f"{account.denominators(results)}."),
        *document.parts(results, escape),
        *_verdicts(results, found),
        *sections(found),
    ]
    parts += [
        *_figures(figures),
        _published(results),
        _failures(results),
        _remarks(results),
        _notes(results),
        _provenance(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def answers(results: Results, figures: Iterable[tuple[str, str, str]]) -> str:
    """Return the answers to the questions of a run's suite alone, with their figure; empty where it asks nothing."""
    found = document.parts(results, escape)
    if not found:
        return ""
    own = [one for one in figures if one[0] == document.FIGURE]
    parts = [
        f"# {escape(account.title(results))}",
        *found,
        *sections(cost_table.tables(results)),
        *_figures(own),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(figures: Iterable[tuple[str, str, str]]) -> list[str]:
    return [
        f"## {escape(title)}\n\n![{escape(title)}](figures/{name}.png)\n\n{caption}"
        for name, title, caption in figures
    ]


def _verdicts(results: Results, found: list[Table]) -> list[str]:
    """Return the verdicts task by task, what they rest on, and how they are made."""
    said = [one for one in opening.of(results, found) if one.verdicts]
    parts = ["## Verdicts"] if said else []
    for one in said:
        parts += [f"### {escape(one.title)}"] if len(said) > 1 else []
        words = [(opening.MARKS[verdict.claim].words, escape(verdict.sentence)) for verdict in one.verdicts]
        parts += [
            one.counts,
            "\n".join(f"- **{mark}**: {sentence}" for mark, sentence in words),
            one.left_out,
        ]
    parts.append("\n".join(f"- {escape(note)}" for note in opening.notes(results)))
    return [*parts, verdicts.CAPTION] if said else parts


def sections(found: list[Table]) -> list[str]:
    """Return tables, each with what it says in sentences, and then how to read them."""
    parts = []
    for one in found:
        rows = [[_entry(cell) for cell in cells] for cells in one.cells()]
        parts += [f"## {escape(one.title)}", _grid([escape(column.heading) for column in one.columns], rows)]
        parts += ["\n".join(f"- {escape(finding)}" for finding in one.findings), one.left_out]
    return parts + tables.captions(found)


def _entry(cell: Cell) -> str:
    text = escape(cell.text)
    return f"{text} [{cell.interval}]" if cell.interval else text


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[str] | None = None) -> str:
    align = align or ["left", *["right"] * (len(headings) - 1)]
    return tabulate(rows, headings, tablefmt="pipe", disable_numparse=True, colalign=align if rows else None)


def _published(results: Results) -> str:
    parts = []
    for source, rows in account.published(results).items():
        cells = [list(map(escape, account.published_cells(row))) for row in rows]
        parts += [f"## {escape(source)}", _grid(account.PUBLISHED_HEADINGS, cells)]
    return "\n\n".join([*parts, account.PUBLISHED_CAPTION]) if parts else ""


def _failures(results: Results) -> str:
    failures = account.failures(results)
    if failures.empty:
        return ""
    rows = [[escape(str(value)) for value in row] for row in failures.to_numpy().tolist()]
    return "## Failures\n\n" + _grid(list(failures.columns), rows, ["left"] * len(failures.columns))


def _remarks(results: Results) -> str:
    remarks = "\n".join(f"- {escape(remark)}" for remark in account.remarks(results))
    return f"## Known defects of what was run\n\n{remarks}" if remarks else ""


def _notes(results: Results) -> str:
    notes = "\n".join(f"- {escape(note)}" for note in results.notes)
    return f"## Notes\n\n{notes}" if notes else ""


def _provenance(results: Results) -> str:
    rows = [[escape(name), escape(text)] for name, text in account.provenance(results)]
    return "## How it was measured\n\n" + _grid(["", ""], rows, ["left", "left"])
