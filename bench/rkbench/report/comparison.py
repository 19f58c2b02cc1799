"""Two runs solver by solver: what changed, paired by seed, and whether it may be compared at all."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from rkbench.record import CellStatus
from rkbench.report import account, labels, numbers, statistics
from rkbench.report.results import Results, load
from rkbench.report.summary import paired_times, summarise
from rkbench.report.terminal import Strip, print_grids

_MEDIANS = (
    "train_seconds",
    "solve_seconds",
    "solution_error",
    "train_accuracy",
    "test_accuracy",
    "nfe_forward",
    "nfe_eval",
)
_DIFFERENCES = ("train_accuracy", "test_accuracy")
_RATIOS = ("nfe_forward", "nfe_eval")
# Where these differ between the runs, so may the numbers, whatever the solver did.
_CAVEATS = {
    "host": "other machine, times not compared",
    "data_sha256": "other data",
    "epochs": "other number of epochs",
    "threads": "other number of threads",
    "method_digest": "other coefficients",
    "torch_version": "other torch",
}


def compare(run_a: str | Path, run_b: str | Path) -> pd.DataFrame:
    """Return one row per task and solver of either run.

    ``x_a`` and ``x_b`` are medians over seeds. ``time_ratio`` is B ÷ A and ``test_accuracy_difference`` B - A,
    as medians over the seeds that both runs have, with intervals in ``…_low`` and ``…_high``; ``time_ratio`` is
    NaN unless both were timed alone on one machine. ``note`` says what else differs.

    Raises:
        RunError: a folder holds no readable run.
    """
    return _compared({"a": load(run_a), "b": load(run_b)})


def show_compare(run_a: str | Path, run_b: str | Path, console: Console | None = None) -> None:
    """Print how run B differs from run A.

    Raises:
        RunError: a folder holds no readable run.
    """
    console = console or Console()
    runs = {"a": load(run_a), "b": load(run_b)}
    for run, results in runs.items():
        commit = str(results.manifest.get("commit") or "an installed rkbench")[:12]
        line = f"{run.upper()}  {account.title(results)}, {account.date(results)}, {commit}: {account.denominators(results)}"
        console.print(Text(line))
    for task, rows in _compared(runs).groupby("task", sort=False):
        records = rows.to_dict("records")
        strips = [
            Strip(heading, [Text(cell(row)) for row in records], widest)
            for heading, widest, needed, cell in _COLUMNS
            if not needed or rows[[f"{needed}_a", f"{needed}_b"]].notna().any(axis=None)
        ]
        print_grids(console, str(task), [strips[:-1], strips[-1:]])
    console.print(
        Text(
            "\nA, B: medians over seeds. B ÷ A and B - A: medians over paired seeds [95 % bootstrap interval].",
            "dim",
        )
    )


def _compared(runs: dict[str, Results]) -> pd.DataFrame:
    both = pd.concat([results.cells.assign(run=run) for run, results in runs.items()], ignore_index=True)
    both["solver"] = labels.solvers(both, circumstances=False)
    sides = {run: both[both["run"] == run].drop(columns="run") for run in "ab"}
    medians = {run: summarise(cells, None).set_index(["task", "solver"]) for run, cells in sides.items()}
    rows = []
    for key in dict.fromkeys([*medians["a"].index, *medians["b"].index]):
        row: dict[str, Any] = dict(zip(("task", "solver"), key, strict=True))
        for name in ("n_ok", "n_planned", *_MEDIANS):
            absent = 0 if name.startswith("n_") else math.nan
            row |= {f"{name}_{run}": one[name].get(key, absent) for run, one in medians.items()}
        rows.append(row | _change(*(_of(cells, key) for cells in sides.values())))
    return pd.DataFrame(rows)


def _of(cells: pd.DataFrame, key: tuple[str, str]) -> pd.DataFrame:
    return cells[(cells["task"] == key[0]) & (cells["solver"] == key[1])]


def _change(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    """Return what one solver's cells of run B are against its cells of run A."""
    ok_a, ok_b = (cells[cells["status"] == CellStatus.OK] for cells in (a, b))
    pairs = ok_a.merge(ok_b, on="seed", suffixes=("_a", "_b"))
    before, after = ({x: pairs[f"{x}_{run}"].to_numpy() for x in _MEDIANS} for run in "ab")
    changes = {"time_ratio": paired_times(b, a)}
    changes |= {f"{x}_difference": statistics.difference(after[x], before[x]) for x in _DIFFERENCES}
    changes |= {f"{x}_ratio": statistics.ratio(after[x], before[x]) for x in _RATIOS}
    spread = {
        name + end: value
        for name, one in changes.items()
        for end, value in zip(("", "_low", "_high"), one, strict=True)
    }
    return spread | {"note": _note(a, b)}


def _note(a: pd.DataFrame, b: pd.DataFrame) -> str:
    if a.empty or b.empty:
        return f"only in {'B' if a.empty else 'A'}"
    differs = (
        words
        for name, words in _CAVEATS.items()
        if _values(a, name) and _values(b, name) and _values(a, name) != _values(b, name)
    )
    return "; ".join(differs)


def _values(cells: pd.DataFrame, name: str) -> set[str]:
    return set(cells[name].dropna()) - {""}


def _both(name: str, spell: Any) -> Any:
    return lambda row: " → ".join(spell(float(row[f"{name}_{run}"])) for run in "ab")


def _changed(name: str, spell: Any) -> Any:
    def text(row: dict[str, Any]) -> str:
        middle, low, high = (float(row[name + end]) for end in ("", "_low", "_high"))
        interval = numbers.interval(spell, middle, low, high)
        return f"{spell(middle)} [{interval}]" if interval else spell(middle)

    return text


def _points(value: float) -> str:
    return numbers.NONE if pd.isna(value) else f"{100 * value:+.2f}"


# Heading, widest, measure without which it has nothing to say, and the entry of a row.
_COLUMNS = (
    ("solver", 24, "", lambda row: row["solver"]),
    ("training time, s", 100, "train_seconds", _both("train_seconds", numbers.seconds)),
    ("solve time, s", 100, "solve_seconds", _both("solve_seconds", numbers.seconds)),
    ("B ÷ A", 100, "", _changed("time_ratio", numbers.significant)),
    ("error", 100, "solution_error", _both("solution_error", numbers.error)),
    ("test accuracy, %", 100, "test_accuracy", _both("test_accuracy", numbers.percent)),
    ("B - A, points", 100, "test_accuracy", _changed("test_accuracy_difference", _points)),
    ("NFE forward", 100, "nfe_forward", _both("nfe_forward", numbers.count)),
    ("cells ok", 100, "", lambda row: " → ".join(numbers.count(float(row[f"n_ok_{run}"])) for run in "ab")),
    ("note", 24, "", lambda row: row["note"]),
)
