"""The columns of a run folder as Markdown, for `results/README.md`: ``python -m rkbench.report.columns``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from rkbench.record import CURVE_COLUMNS, TRACE_COLUMNS, Record
from rkbench.report.summary import ESTIMATED, SUMMARY_COLUMNS

BEGIN = "<!-- columns: written by `python -m rkbench.report.columns`, do not edit by hand -->"
END = "<!-- end of columns -->"


def markdown() -> str:
    """Return the tables of all columns between their markers."""
    sections = {
        "A record": {
            f.name: (str(f.type).removesuffix(" | None"), f.metadata["doc"]) for f in fields(Record)
        },
        "A row of `curve`": {
            name: ("int" if name == "epoch" else "float", doc) for name, doc in CURVE_COLUMNS.items()
        },
        "A row of `trace`": {
            name: ("int" if name == "rejected" else "float", doc) for name, doc in TRACE_COLUMNS.items()
        },
    }
    parts = [BEGIN]
    parts += [
        f"### {title}\n\n" + _table(("column", "type", "meaning"), columns)
        for title, columns in sections.items()
    ]
    summary = {
        name: (f"`{name}_low`, `{name}_high`" if name in ESTIMATED else "", doc)
        for name, doc in SUMMARY_COLUMNS.items()
    }
    parts += ["### A row of `summary.csv`\n\n" + _table(("column", "interval", "meaning"), summary), END]
    return "\n\n".join(parts) + "\n"


def _table(headings: tuple[str, ...], columns: Mapping[str, tuple[str, str]]) -> str:
    rows = [headings, ("---",) * len(headings), *((f"`{name}`", *texts) for name, texts in columns.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(markdown(), end="")
