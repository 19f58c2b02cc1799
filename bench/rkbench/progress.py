"""What a user sees while a plan runs: the cell, its epoch and loss, what is done, what remains and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from rkbench.forecast import Forecast, spoken
from rkbench.plan import Cell
from rkbench.printable import printable
from rkbench.record import CellStatus, Record


class Screen:
    """A line per finished cell; on a terminal, a live table below them: the whole plan, and each running cell."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.clock = console, clock
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _News(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.total = self.done = self.failed = self.again = self.told = 0
        self.kept: set[str] = set()
        self.earlier = 0
        self.forecast = Forecast(())
        self.lines: dict[str, Any] = {}

    def __enter__(self) -> Screen:
        self.progress.start()
        self.all = self.progress.add_task("loading torch and the data", total=None, news=str)
        return self

    def __exit__(self, *exception: object) -> None:
        self.progress.stop()

    def planned(self, todo: Sequence[Cell], done: int) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.total, self.done, self.earlier = len(todo) + done, done, done
        self.forecast = Forecast(todo)
        self.progress.update(
            self.all, description="cells", total=self.total, completed=done, news=self.summary
        )
        earlier = f", {done} of them measured by an earlier run" if done else ""
        self.console.print(f"{self.total} cell{'s' * (self.total != 1)}{earlier}")

    def started(self, cell: Cell) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.forecast.started(cell, self.clock())
        self.lines[cell.cell_id] = self.progress.add_task(_name(cell), total=cell.epochs, news=str)

    def epoch(self, cell: Cell, row: dict[str, Any]) -> None:
        """See `rkbench.lanes.Watcher`."""
        told = ", ".join(
            _SAID[name](row[name]) for name in ("test_accuracy", "test_score", "nfe_forward") if name in row
        )
        text = f"loss {row['train_loss']:.3f}, {told}"
        self.progress.update(self.lines[cell.cell_id], completed=row["epoch"], news=lambda: text)

    def ended(self, cell: Cell, record: Record, again: bool) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.progress.remove_task(self.lines.pop(cell.cell_id))
        self.forecast.ended(cell, self.clock(), again)
        self.kept.add(cell.cell_id)
        if again:
            self.again += 1
            self._print(
                f"{_name(cell)}: the machine was disturbed ({100 * (record.disturbance or 0):.0f} %); it comes again"
            )
        else:
            self.done += 1
            self.failed += record.status not in (CellStatus.OK, CellStatus.SKIPPED)
            self.progress.update(self.all, advance=1)
            self._print(f"\\[{self.done}/{self.total}] {_name(cell)}: {_result(record)}")
        if not self.console.is_terminal and self.told < self.forecast.blocks and self.done < self.total:
            self.told = self.forecast.blocks
            self._print(escape(self.summary()))

    def note(self, sentence: str) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.console.print(f"[yellow]note:[/] {escape(printable(sentence))}")

    def summary(self) -> str:
        """Return how many cells are left, failed and were sent again, and how long the rest will take, if that is known."""
        counts = ((self.total - self.done, "left"), (self.failed, "failed"), (self.again, "measured again"))
        said = [f"{count} {what}" for count, what in counts if count]
        return ", ".join([*said, *self._time_left()])

    def stopped(self) -> str:
        """Return what is kept of a run that was stopped, and how it goes on."""
        if not self.total:
            return "Stopped before the first cell; the same command resumes."
        kept = self.earlier + len(self.kept)
        return f"Stopped. {kept} of {self.total} cells are measured and kept; the same command resumes."

    def _time_left(self) -> list[str]:
        seconds, unknown = self.forecast.left(self.clock()), self.forecast.unknown()
        if seconds is None or self.done == self.total:
            return []
        if unknown:
            return [f"at least {spoken(seconds)} ({', '.join(unknown)} not timed yet)"]
        return [f"about {spoken(seconds)}"]

    def _print(self, markup: str) -> None:
        self.console.print(f"  {markup}", highlight=False)


class _News(ProgressColumn):
    """What a line says last, asked for anew at each refresh."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["news"]())


def _name(cell: Cell) -> str:
    how = f"×{cell.steps}" if cell.steps else f"@{cell.rtol:g}" if cell.rtol else ""
    engine = "" if cell.engine in ("rkbench", "") else f" by {cell.engine}"
    label = " (second label)" if cell.replica else ""
    solver = f" {cell.method}{how}{engine}" if cell.method else ""
    return escape(f"{cell.task}{solver} seed {cell.seed}{label}")


_SAID: dict[str, Callable[[float], str]] = {
    "train_seconds": lambda value: f"{value:.2f} s",
    "solve_seconds": lambda value: f"{value:.3g} s",
    "step_seconds": lambda value: f"{value:.3g} s",
    "test_accuracy": lambda value: f"test {100 * value:.2f} %",
    "test_score": lambda value: f"test score {value:.4g}",
    "solution_error": lambda value: f"error {value:.1e}",
    "gradient_error": lambda value: f"gradient error {value:.1e}",
    "state_gradient_ratio": lambda value: f"gradient first ÷ last layer {value:.2g}",
    "nfe_forward": lambda value: f"NFE {value:g}",
}
"""What is told of a cell that ended well, where its experiment measured it."""


def _result(record: Record) -> str:
    if record.status != CellStatus.OK:
        return f"[red]{record.status}[/] {escape(printable(record.message))}"
    values = ((getattr(record, name), spell) for name, spell in _SAID.items())
    return ", ".join(spell(value) for value, spell in values if value is not None)
