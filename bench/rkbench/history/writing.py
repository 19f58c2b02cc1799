"""The page of a history, and its numbers as a table, written beside asv's results."""

from __future__ import annotations

import csv
from pathlib import Path

from rkbench.errors import HistoryError
from rkbench.history import page
from rkbench.history.history import History

PAGE, VALUES = "index.html", "values.csv"
_COLUMNS = (
    "machine", "environment", "benchmark", "parameters", "unit", "kind", "commit", "state", "value", "level"
)  # fmt: skip


def write(history: History, folder: Path) -> Path:
    """Write ``index.html`` and ``values.csv`` into a folder, and return the page.

    Raises:
        HistoryError: they cannot be written.
    """
    text = page.render(history)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / VALUES).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows(_rows(history))
        (folder / PAGE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise HistoryError(
            f"{folder} cannot be written ({error.strerror}); name another folder with --out."
        ) from None
    return folder / PAGE


def _rows(history: History) -> list[list[str]]:
    rows = []
    for judged in history.judged:
        one = judged.series
        levels = iter([value for start, stop, value in judged.levels for _ in range(start, stop)])
        named = [one.machine, one.environment, one.benchmark, one.parameters, one.unit, one.kind]
        for point in one.points:
            known = point.state == "measured"
            told = [repr(point.value), repr(next(levels))] if known else ["", ""]
            rows.append([*named, point.commit, point.state, *told])
    return rows
