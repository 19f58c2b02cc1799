"""What a user sees while a plan runs: the cell, its epoch and loss, what is done and what remains."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from rkbench.plan import Cell
from rkbench.record import CellStatus, Record


class Screen:
    """A line per finished cell; on a terminal, a live line for each running one below them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remaining]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.started_at = time.monotonic()
        self.total = self.measured = self.already = 0
        self.lines: dict[str, Any] = {}

    def __enter__(self) -> Screen:
        self.progress.start()
        self.all = self.progress.add_task("loading torch and the data", total=None, remaining="")
        return self

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()

    def planned(self, cells: int, done: int) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.total, self.already = cells, done
        self.progress.update(self.all, description="cells", total=cells, completed=done)
        earlier = f", {done} of them measured by an earlier run" if done else ""
        self.console.print(f"{cells} cell{'s' * (cells != 1)}{earlier}")

    def started(self, cell: Cell) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.lines[cell.cell_id] = self.progress.add_task(_name(cell), total=cell.epochs, remaining="")

    def epoch(self, cell: Cell, row: dict[str, Any]) -> None:
        """See `rkbench.lanes.Watcher`."""
        text = f"loss {row['train_loss']:.3f}, test {100 * row['test_accuracy']:.2f} %, NFE {row['nfe_forward']:g}"
        self.progress.update(self.lines[cell.cell_id], completed=row["epoch"], remaining=text)

    def ended(self, cell: Cell, record: Record, again: bool) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.progress.remove_task(self.lines.pop(cell.cell_id))
        if again:
            self.console.print(
                f"  {_name(cell)}: the machine was disturbed ({100 * (record.disturbance or 0):.0f} %); it comes again",
                highlight=False,
            )
            return
        self.measured += 1
        left = self.total - self.already - self.measured
        seconds = (time.monotonic() - self.started_at) / self.measured * left
        self.progress.update(self.all, advance=1, remaining=f"about {seconds:.0f} s left" if left else "")
        self.console.print(
            f"  [{self.already + self.measured}/{self.total}] {_name(cell)}: {_result(record)}",
            highlight=False,
        )

    def note(self, sentence: str) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.console.print(f"[yellow]note:[/] {escape(sentence)}")


def _name(cell: Cell) -> str:
    how = f"×{cell.steps}" if cell.steps else f"@{cell.rtol:g}"
    engine = "" if cell.engine == "rkbench" else f" by {cell.engine}"
    label = " (second label)" if cell.replica else ""
    return escape(f"{cell.task} {cell.method}{how}{engine} seed {cell.seed}{label}")


_SAID: dict[str, Callable[[float], str]] = {
    "train_seconds": lambda value: f"{value:.2f} s",
    "solve_seconds": lambda value: f"{value:.3g} s",
    "test_accuracy": lambda value: f"test {100 * value:.2f} %",
    "solution_error": lambda value: f"error {value:.1e}",
    "nfe_forward": lambda value: f"NFE {value:g}",
}
"""What is told of a cell that ended well, where its experiment measured it."""


def _result(record: Record) -> str:
    if record.status != CellStatus.OK:
        return f"[red]{record.status}[/] {escape(record.message)}"
    values = ((getattr(record, name), spell) for name, spell in _SAID.items())
    return ", ".join(spell(value) for value, spell in values if value is not None)
