"""A run in the terminal: the table of each task, then failures, notes and denominators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from rkbench.report import account, numbers, opening, tables
from rkbench.report.answers import saying
from rkbench.report.results import Results, load
from rkbench.report.table import Table

_WIDEST = {"solver": 24, "network": 24, "cells": 14}  # text that may be folded
_GAP = 2


def show(run: str | Path | Results, console: Console | None = None) -> None:
    """Print the report of a run, given its folder or what was read of it.

    Raises:
        RunError: the folder holds no readable run.
    """
    console = console or Console()
    results = run if isinstance(run, Results) else load(run)
    console.print(Text(account.title(results), "bold"), Text(account.sentence(results), "dim"), sep="\n")
    found = tables.of(results)
    _print_answers(console, results)
    _print_verdicts(console, results, found)
    for one in found:
        if not one.folded:
            _print_table(console, one)
    console.print()
    if folded := sum(one.folded for one in found):
        console.print(Text(f"{numbers.counted(folded, 'more table')} in the page of the report."))
    for caption in tables.captions([one for one in found if not one.folded]):
        console.print(Text(caption, "dim"))
    _print_published(console, results)
    _print_failures(console, results)
    for remark in account.remarks(results):
        console.print(Text(remark, "dim"))
    for note in results.notes:
        console.print(Text(f"note: {note}", "yellow"))
    console.print(Text(account.denominators(results) + "."))


def print_grids(console: Console, title: str, groups: Sequence[Sequence[Strip]]) -> None:
    """Print columns as one table where they fit the console, else group by group.

    Every further table repeats the very first column, the name; a group that is still too wide is cut again.
    """
    name = groups[0][0]
    whole = [strip for group in groups for strip in group]
    if name.fits(whole[1:], console.width):
        _print_grid(console, title, whole)
        return
    for group in groups:
        left = [strip for strip in group if strip is not name]
        while left:
            taken = next((n for n in range(len(left), 1, -1) if name.fits(left[:n], console.width)), 1)
            _print_grid(console, title, [name, *left[:taken]])
            left = left[taken:]


@dataclass(frozen=True)
class Strip:
    """A column of a terminal table: its heading and its entries, of one or two lines each."""

    heading: str
    entries: list[Text]
    longest: int = 100

    @property
    def width(self) -> int:
        """The characters that keep every line whole and break the heading between words only."""
        lines = [line for entry in self.entries for line in entry.plain.split("\n")]
        return min(max(map(cell_len, [*self.heading.split(), *lines]), default=1), self.longest)

    def fits(self, others: Sequence[Strip], width: int) -> bool:
        """Return whether a table of this column and others needs no more than a width."""
        return sum(strip.width + _GAP for strip in (self, *others)) <= width


def _print_grid(console: Console, title: str, strips: Sequence[Strip]) -> None:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for strip in strips:
        grid.add_column(
            Text(strip.heading),
            justify="left" if strip is strips[0] else "right",
            overflow="fold",
            width=strip.width,
        )
    for entries in zip(*(strip.entries for strip in strips), strict=True):
        grid.add_row(*entries)
    console.print("", Text(title, "bold"), grid, sep="\n")


def _print_table(console: Console, one: Table) -> None:
    strips: dict[str, list[Strip]] = {}
    for column in one.columns:
        cells = (column.cell(row) for row in one.rows)
        entries = [
            Text.assemble(cell.text, (f"\n{cell.interval}" if cell.interval else "", "dim")) for cell in cells
        ]
        strips.setdefault(column.group, []).append(
            Strip(column.heading, entries, _WIDEST.get(column.heading, 100))
        )
    print_grids(console, one.title, list(strips.values()))
    for finding in one.findings:
        console.print(Text(finding))


def _print_answers(console: Console, results: Results) -> None:
    for one in saying.of(results):
        console.print("", Text(one.ask, "bold"), Text.assemble((one.answer, "bold")), sep="\n")
        for measured in one.measured:
            console.print(Text(f"{measured.heading}. {measured.answer}"))
            for mark, sentence in measured.findings:
                console.print(Text.assemble((f"{mark.symbol} {mark.words}", "bold"), f": {sentence}"))
        for note in filter(None, (one.reaching, *one.notes)):
            console.print(Text(note, "dim"))


def _print_verdicts(console: Console, results: Results, found: list[Table]) -> None:
    for one in opening.of(results, found):
        if one.verdicts:
            console.print("", Text(one.title, "bold"), sep="\n")
        if one.counts:
            console.print(Text(one.counts))
            continue
        for verdict in one.verdicts:
            mark = opening.MARKS[verdict.claim]
            console.print(Text.assemble((f"{mark.symbol} {mark.words}", "bold"), f": {verdict.sentence}"))
    for note in opening.notes(results):
        console.print(Text(note, "dim"))


def _print_published(console: Console, results: Results) -> None:
    published = account.published(results)
    for source, rows in published.items():
        columns = zip(*map(account.published_cells, rows), strict=True)
        strips = [
            Strip(h, [Text(t) for t in texts])
            for h, texts in zip(account.PUBLISHED_HEADINGS, columns, strict=True)
        ]
        print_grids(console, source, [strips])
    if published:
        console.print(Text(account.PUBLISHED_CAPTION, "dim"))


def _print_failures(console: Console, results: Results) -> None:
    for failure in account.failures(results).to_dict("records"):
        who = f"{failure['solver']} on {failure['task']}, seed {failure['seeds']}"
        console.print(
            Text.assemble((failure["status"], "bold red"), f" {who}: {failure['message'] or 'no message'}")
        )
