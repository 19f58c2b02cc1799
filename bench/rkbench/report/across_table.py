"""The table across training tasks about the same data: error or score, size, memory, time, work, and what others publish."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import about, depths, extent, families, numbers, published, scores
from rkbench.report.labels import NO_SOLVER
from rkbench.report.published import Published
from rkbench.report.scores import ACCURACY, Score
from rkbench.report.table import Cell, Column, Row, Table, estimate, status

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

CAPTION = (
    "Networks trained on the same data. Medians over seeds with their intervals. Memory is the most tensors alive at once "
    "in one training step, beyond data and parameters; time per epoch leaves out loading, evaluation and warm-up; NFE are "
    "evaluations of f in one training step."
)
PUBLISHED = " {} published, elsewhere and on other hardware: {}."

_PUBLISHED = "published"
"""Key of a row that was published elsewhere; its value is what was."""


def tables(results: Results) -> list[Table]:
    """Return a table for all that several tasks were trained on, or that there are published rows for."""
    summary = results.summary()
    trained = summary[summary["experiment"] == "training"]
    of_task = dict(zip(results.cells["task"], about.of(results.cells), strict=True))
    found = []
    trained = trained[trained["task"].map(of_task) != ""]
    for (subject, _), ours in trained.groupby([trained["task"].map(of_task), "score"], sort=False):
        theirs = published.rows(results, str(subject), scores.of(ours))
        if ours["task"].nunique() > 1 or theirs:
            found.append(_table(results, str(subject), ours, theirs))
    return found


def _table(results: Results, subject: str, ours: pd.DataFrame, theirs: list[Published]) -> Table:
    tasks = list(dict.fromkeys(ours["task"]))
    rows = _rows(results, ours, theirs)
    sources = [f"[{n}] {source}" for n, source in enumerate(published.sources(theirs), 1)]
    caption = CAPTION + (PUBLISHED.format("Numbered rows are", "; ".join(sources)) if sources else "")
    deep = depths.cells(results.cells[results.cells["task"].isin(tasks)])
    grown = depths.sentences(depths.rungs(deep[deep["unit"] == depths.BLOCK]))
    title = f"{numbers.counted(len(tasks), 'task')} on {subject}"
    shown = rows[: extent.ROWS]
    left_out = extent.more(len(rows), len(shown), "rows, the first of the plan,", "summary.parquet")
    words, options = families.shared(tasks)
    subtitle = ", ".join([f"{words}…"] * bool(words) + options)
    return Table(
        title,
        subtitle,
        tuple(_columns(shown, scores.of(ours))),
        shown,
        caption,
        tuple(grown),
        left_out=left_out,
    )


def _rows(results: Results, ours: pd.DataFrame, theirs: list[Published]) -> list[Row]:
    """Return a row for every network and solver, and behind those of its task what was published of it; the rest last."""
    tasks, sources = list(dict.fromkeys(ours["task"])), published.sources(theirs)
    names, ends = families.short(tasks), _first_and_last(results)
    behind: dict[str | None, list[Row]] = {}
    for row in theirs:
        number = sources.index(str(row.get("source", ""))) + 1
        told = {"name": f"{row.get('label', '')} [{number}]", _PUBLISHED: row}
        behind.setdefault(published.beside(row, tasks), []).append(told | dict.fromkeys(_COUNTS, 0))
    found: list[Row] = []
    for task, solvers in ours.groupby("task", sort=False):
        rows = ({str(key): value for key, value in row.items()} for row in solvers.to_dict("records"))
        found += [_row(names[str(task)], row, ends) for row in rows]
        found += behind.get(str(task), [])
    return found + behind.get(None, [])


_COUNTS = ("n_planned", "n_ok", "n_timed")


def _row(task: str, row: Row, ends: pd.DataFrame) -> Row:
    key = (row["task"], row["solver"])
    first, last = ends.loc[key] if key in ends.index else (math.nan, math.nan)
    name = task if row["solver"] == NO_SOLVER else f"{task} · {row['solver']}"
    return row | {"name": name, "first": float(first), "last": float(last)}


def _first_and_last(results: Results) -> pd.DataFrame:
    """Return by task and solver the evaluations of a forward solve in the first and in the last epoch, medians over seeds."""
    ok = results.cells.loc[results.cells["status"] == CellStatus.OK, "cell_id"]
    epochs = results.epochs[results.epochs["cell_id"].isin(ok)].sort_values("epoch", kind="stable")
    ends = epochs.groupby(["task", "solver", "cell_id"])["nfe_forward"].agg(["first", "last"])
    return ends.groupby(["task", "solver"]).median()


def _columns(rows: list[Row], score: Score) -> Iterator[Column]:
    """Yield the columns that have something to say: more than nothing or 0, and of the first and last epoch a change."""
    judged = _ERROR if score is ACCURACY else _judged(score)
    for column in (_NETWORK, judged, *_REST):
        texts = [column.cell(row).text for row in rows]
        said = (
            any("→" in text for text in texts) if column.heading == ENDS else {*texts} - {numbers.NONE, "0"}
        )
        if column in (_NETWORK, judged, _CELLS) or said:
            yield column


ENDS = "NFE first → last epoch"


def _name(row: Row) -> Cell:
    return Cell(row["name"], "", row["name"])


def _either(
    own: Callable[[Row], Cell], theirs: Callable[[Published], str], key: Callable[[Published], float]
) -> Callable[[Row], Cell]:
    """Return what tells a number of ours, or what was published for it."""

    def cell(row: Row) -> Cell:
        told = row.get(_PUBLISHED)
        return own(row) if told is None else Cell(theirs(told), "", key(told))

    return cell


def _error(row: Row) -> Cell:
    middle, low, high = (1 - row[f"test_accuracy{end}"] for end in ("", "_high", "_low"))
    return Cell(numbers.percent(middle), numbers.interval(numbers.percent, middle, low, high), middle)


def _parameters(row: Row) -> Cell:
    known = row["parameters"]
    return Cell(numbers.NONE, "", math.nan) if pd.isna(known) else Cell(f"{int(known):,}", "", float(known))


def _seconds(row: Row) -> Cell:
    cell = estimate("epoch_seconds", numbers.seconds)(row)
    return cell._replace(text=cell.text + " †") if row["n_timed"] < row["n_ok"] else cell


def _ends(row: Row) -> Cell:
    told = dict.fromkeys(numbers.count(row[end]) for end in ("first", "last"))
    return Cell(" → ".join(told), "", row["last"])


def _nothing(row: Published) -> str:
    return numbers.NONE


def _unknown(row: Published) -> float:
    return math.nan


def _text(name: str) -> Callable[[Published], str]:
    return lambda row: str(row.get(name, numbers.NONE))


_NETWORK = Column(
    "network",
    "The task, without what the names of all have in common, and its solver: ×10 is ten equal steps, @ 1e-3 steps adapted "
    "to a relative tolerance of 1e-3. A number in brackets: published elsewhere.",
    _name,
    "result",
)

_ERROR = Column(
    "test error, %",
    "Share of the test set classified wrongly after training, in percent, median over seeds.",
    _either(_error, published.error, lambda row: published.value(row, published.ERROR) / 100),
    "result",
)


def _judged(score: Score) -> Column:
    """Return the column of a score that tasks have of their own."""
    return Column(
        score.heading,
        "The tasks' own score after training, the lower the better, median over seeds.",
        _either(
            estimate(score.column, score.spell),
            published.score,
            lambda row: published.value(row, published.SCORE),
        ),
        "result",
    )


_CELLS = Column(
    "cells",
    "How many of the planned cells, one per seed, ended well, and how the others did.",
    _either(
        lambda row: Cell(status(row), "", row["n_planned"] - row["n_ok"]),
        lambda row: _PUBLISHED,
        _unknown,
    ),
    "work",
)

_REST = (
    Column(
        "parameters",
        "Trainable parameters of the network; M: millions.",
        _either(
            _parameters, published.parameters, lambda row: 1e6 * published.value(row, "parameters_millions")
        ),
        "result",
    ),
    Column(
        "training memory, MiB",
        "Most tensors alive at once in one training step, beyond data and parameters, in MiB, median over seeds.",
        _either(estimate("step_memory_mb", numbers.significant), _text("memory"), _unknown),
        "result",
    ),
    Column(
        "s per epoch",
        "Training time of one epoch, in seconds; median over epochs, then over seeds.",
        _either(_seconds, _text("time"), _unknown),
        "result",
    ),
    Column(
        "NFE forward",
        "Evaluations of f in the forward solve of one training step; median over steps, then over seeds.",
        _either(estimate("nfe_forward", numbers.count), _nothing, _unknown),
        "work",
    ),
    Column(
        "NFE backward",
        "Evaluations of f on the way back of one training step; median over steps, then over seeds.",
        _either(estimate("nfe_backward", numbers.count), _nothing, _unknown),
        "work",
    ),
    Column(
        ENDS,
        "Evaluations of f in the forward solve of one training step, in the first and in the last epoch; medians over steps, "
        "then over seeds.",
        _either(_ends, _nothing, _unknown),
        "work",
    ),
    _CELLS,
)
