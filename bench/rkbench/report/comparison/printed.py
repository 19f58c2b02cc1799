"""A comparison in the terminal: what differs, how each solver changed, and what all runs say together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.text import Text

from rkbench.report import account, numbers
from rkbench.report.comparison import changes, words
from rkbench.report.comparison.circumstances import differences
from rkbench.report.comparison.pooled import pool
from rkbench.report.comparison.told import frame, loaded
from rkbench.report.terminal import Strip, print_grids


def show_compare(*run_folders: str | Path, console: Console | None = None) -> None:
    """Print how every run differs from the first, whether that is more than noise, and what all say together.

    Raises:
        RunError: a folder holds no readable run, or there are not two of them.
    """
    console, runs = console or Console(), loaded(run_folders)
    for name, one in runs.items():
        console.print(Text(f"{name}  {account.title(one)}, {account.date(one)}: {account.denominators(one)}"))
    for name, one in list(runs.items())[1:]:
        found = differences(runs["A"], one)
        console.print(
            Text(f"{name} against A: {'; '.join(found) or 'the same versions, machine and threads'}", "dim")
        )
    for task, rows in frame(changes.of(runs)).groupby("task", sort=False):
        _print_changes(console, str(task), rows, len(runs) > 2)
    for task, rows in pool(runs).groupby("task", sort=False):
        _print_pooled(console, str(task), rows)
    console.print(Text("\nNumbers alone are medians over seeds. " + words.CAPTION, "dim"))


def _print_changes(console: Console, task: str, rows: pd.DataFrame, several: bool) -> None:
    noted = rows["note"].ne("").any()
    shown = [
        column
        for column in _CHANGES
        if column.measured(rows, ("_a", "_b"))
        and (several or column.heading != "run")
        and (noted or column.heading != "note")
    ]
    print_grids(console, task, [_strips(shown, rows)])
    for sentence in rows["sentence"]:
        console.print(Text(sentence))


def _print_pooled(console: Console, task: str, rows: pd.DataFrame) -> None:
    shown = [column for column in _POOLED if column.measured(rows, ("",))]
    print_grids(console, f"{task}: all runs together", [_strips(shown, rows)])


def _strips(columns: list[_Column], rows: pd.DataFrame) -> list[Strip]:
    records = rows.to_dict("records")
    return [
        Strip(column.heading, [Text(column.cell(row)) for row in records], column.widest)
        for column in columns
    ]


class _Column(NamedTuple):
    """A column: its heading, the entry of a row, the measure without which it has nothing to say, and its width at most."""

    heading: str
    cell: Callable[[Mapping[Any, Any]], str]
    needs: str = ""
    widest: int = 100

    def measured(self, rows: pd.DataFrame, sides: tuple[str, ...]) -> bool:
        """Return whether the measure that the column needs is known in any row."""
        return not self.needs or bool(rows[[f"{self.needs}{side}" for side in sides]].notna().any(axis=None))


def _plain(name: str) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: str(row[name])


def _both(name: str, spell: Callable[[float], str]) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: " → ".join(spell(float(row[f"{name}_{side}"])) for side in "ab")


def _estimated(name: str, spell: Callable[[float], str]) -> Callable[[Mapping[Any, Any]], str]:
    def text(row: Mapping[Any, Any]) -> str:
        middle, low, high = (float(row[name + end]) for end in ("", "_low", "_high"))
        interval = numbers.interval(spell, middle, low, high)
        return f"{spell(middle)} [{interval}]" if interval else spell(middle)

    return text


def _points(value: float) -> str:
    return numbers.NONE if pd.isna(value) else f"{100 * value:+.2f}"


_CHANGES = (
    _Column("solver", _plain("solver"), widest=24),
    _Column("run", _plain("run")),
    _Column("training time, s", _both("train_seconds", numbers.seconds), "train_seconds"),
    _Column("solve time, s", _both("solve_seconds", numbers.seconds), "solve_seconds"),
    _Column("gradient time, s", _both("step_seconds", numbers.seconds), "step_seconds"),
    _Column("time ÷ A", _estimated("time_ratio", numbers.significant)),
    _Column("error", _both("solution_error", numbers.error), "solution_error"),
    _Column("memory, MiB", _both("step_memory_mb", numbers.significant), "step_memory_mb"),
    _Column("gradient error", _both("gradient_error", numbers.error), "gradient_error"),
    _Column("test accuracy, %", _both("test_accuracy", numbers.percent), "test_accuracy"),
    _Column("accuracy - A, points", _estimated("test_accuracy_difference", _points), "test_accuracy"),
    _Column("NFE forward", _both("nfe_forward", numbers.count), "nfe_forward"),
    _Column("cells ok", _both("n_ok", numbers.count)),
    _Column("note", _plain("note"), widest=24),
)

_POOLED = (
    _Column("solver", _plain("solver"), widest=24),
    _Column("machine", _plain("host"), widest=16),
    _Column("time there, s", _estimated("seconds", numbers.seconds), "seconds"),
    _Column("error", _estimated("solution_error", numbers.error), "solution_error"),
    _Column("memory, MiB", _estimated("step_memory_mb", numbers.significant), "step_memory_mb"),
    _Column("gradient error", _estimated("gradient_error", numbers.error), "gradient_error"),
    _Column("test accuracy, %", _estimated("test_accuracy", numbers.percent), "test_accuracy"),
    _Column("NFE forward", _estimated("nfe_forward", numbers.count), "nfe_forward"),
    _Column("seeds", _plain("n_seeds")),
    _Column("runs", _plain("runs"), widest=12),
)
