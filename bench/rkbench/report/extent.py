"""How much of a large run a document shows; its frames, as CSV and Parquet, have all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rkbench.report.table import Row, Table

TASKS, ROWS = 25, 200
"""Tasks of a run and rows of a table beyond which a reader sees what is over all tasks first."""

ALL_ROWS = 1500
"""Rows of all tables together, so that a page stays some megabytes."""

SENTENCES = 300
"""Verdicts and findings of all tasks together, or rows of failures."""

NOTES = 50
"""Remarks of one kind."""


def large(tables: Sequence[Table]) -> bool:
    """Return whether tables are more than a reader can see."""
    rows = [len(one.rows) for one in tables]
    return len({one.task for one in tables}) > TASKS or max(rows, default=0) > ROWS or sum(rows) > ALL_ROWS


def cut(tables: Sequence[Table]) -> list[Table]:
    """Return tables that are folded, with as many rows as fit; short ones keep all, and every one its baseline's."""
    most = min(ROWS, share([len(one.rows) for one in tables], ALL_ROWS))
    return [
        replace(one, rows=_first(one, most), folded=True, left_out=_sentence(one, most)) for one in tables
    ]


def share(sizes: Sequence[int], whole: int) -> int:
    """Return how many each of several lists may have, at least 1, so that all of them together have about a whole.

    Short lists have what they have, and leave the rest to the long ones.
    """
    left = whole
    for place, size in enumerate(sorted(sizes)):
        fair = left // (len(sizes) - place)
        if size > fair:
            return max(1, fair)
        left -= size
    return max(sizes, default=1)


def more(total: int, shown: int, noun: str, where: str) -> str:
    """Return a sentence about what is not shown; nothing where all is."""
    return "" if total <= shown else f"{shown:,} of {total:,} {noun} are shown; {where} has all."


def few(sentences: list[str]) -> list[str]:
    """Return the first sentences, and one that says how many more there are."""
    left = len(sentences) - NOTES
    return [*sentences[:NOTES], f"And {left:,} more of this kind."] if left > 1 else sentences


def _first(one: Table, most: int) -> list[Row]:
    name = one.columns[0].cell
    baseline = [
        place for place, row in enumerate(one.rows) if one.baseline and name(row).text == one.baseline
    ]
    others = [place for place in range(len(one.rows)) if place not in baseline]
    return [one.rows[place] for place in sorted([*baseline, *others][:most])]


def _sentence(one: Table, most: int) -> str:
    shown = min(most, len(one.rows))
    return more(len(one.rows), shown, "rows, the first of the plan,", "summary.parquet")
