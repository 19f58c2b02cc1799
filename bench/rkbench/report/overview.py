"""Tables over all tasks of a kind, for a run of more tasks or solvers than a reader can see one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import extent, frames, numbers, precision_table, statistics
from rkbench.report.summary import baseline_solver
from rkbench.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

FACTOR = 2
"""Factor of the fastest time within which a solver is counted, fixed before any run."""

MOST = 100
"""Solvers of a table; the interval of each takes its time."""

TRAINING_CAPTION = (
    "Over all tasks: the interquartile mean of the ratios of training times, paired by seed and machine, of all runs of all "
    "tasks together, with a 95 % interval (stratified bootstrap; Agarwal et al. 2021); and the shares of all problems, a "
    f"task and a seed each, on which a solver is the fastest, or within {FACTOR} times the fastest time (Dolan and Moré "
    "2002). Failures are infinitely slow."
)
COUNTED_CAPTION = (
    "Over all tasks: the interquartile mean of the ratios to the baseline, one of each task on which both reach the error, "
    "with the lowest and the highest."
)


def tables(results: Results, found: list[Table]) -> list[Table]:
    """Return the tables over all tasks of training and over all initial value problems, given those of each."""
    return [*_training(results), *_counted(found)]


def _training(results: Results) -> Iterator[Table]:
    cells = results.cells[results.cells["experiment"] == "training"]
    if cells["task"].nunique() > 1:
        costs = _costs(cells)
        ratios = _ratios(cells, costs, results.baseline)
        names = list(dict.fromkeys(cells["solver"]))
        shown = extent.more(len(names), MOST, "solvers, the first of the plan,", "summary.parquet")
        rows = _solvers(cells, costs, ratios, names[:MOST])
        title = f"All {cells['task'].nunique()} training tasks"
        yield Table(title, "", _columns(results.baseline), rows, TRAINING_CAPTION, left_out=shown)


def _costs(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the training times, of a task, seed and machine a row, of a solver a column; infinity for a failure."""
    timed = cells["timing_valid"] & (cells["status"] == CellStatus.OK)
    times = _table(cells[timed], ["task", "seed", "host"], "train_seconds")
    lost = _table(cells.assign(lost=frames.failed(cells).astype("float64")), ["task", "seed"], "lost")
    # On whichever machine it failed, it is done on none.
    shared = pd.MultiIndex.from_frame(times.index.to_frame(index=False)[["task", "seed"]])
    lost = lost.reindex(index=shared, columns=times.columns)
    return times.mask(lost.to_numpy() > 0, np.inf)


def _table(cells: pd.DataFrame, by: list[str], column: str) -> pd.DataFrame:
    return cells.groupby([*by, "solver"], sort=False)[column].first().unstack("solver")


def _ratios(cells: pd.DataFrame, costs: pd.DataFrame, baseline: str | None) -> dict[str, pd.DataFrame]:
    """Return, by task, the times over those of its baseline; empty where it lacks one."""
    found = {}
    for name, task in cells.groupby("task", sort=False):
        solver = baseline_solver(task, baseline)
        if solver is not None:
            rows = costs.loc[[name]]
            found[str(name)] = rows.div(rows[solver].where(np.isfinite(rows[solver])), axis=0)
    return found


def _solvers(
    cells: pd.DataFrame, costs: pd.DataFrame, ratios: dict[str, pd.DataFrame], names: list[str]
) -> list[Row]:
    fastest = costs.min(axis=1)
    problems = costs[np.isfinite(fastest)]
    slowness = problems.div(fastest[problems.index], axis=0)
    ok = (cells["status"] == CellStatus.OK).groupby(cells["solver"]).agg(["sum", "size"])
    timed = (cells["timing_valid"] & (cells["status"] == CellStatus.OK)).groupby(cells["solver"]).sum()
    tasks = cells.groupby("solver")["task"].nunique()
    return [
        {
            "solver": name,
            "tasks": int(tasks[name]),
            "time": statistics.interquartile_mean([one[name].to_numpy() for one in ratios.values()]),
            "fastest": float((slowness[name] <= 1).mean()),
            "within": float((slowness[name] <= FACTOR).mean()),
            "n_ok": int(ok["sum"][name]),
            "n_planned": int(ok["size"][name]),
            "n_timed": int(timed[name]),
        }
        for name in names
    ]


def _columns(baseline: str | None) -> tuple[Column, ...]:
    ratio = "Interquartile mean of the training time over the baseline's, paired by seed; no unit."
    fastest = "Share of all problems, a task and a seed each, on which no solver is faster, in percent."
    within = f"Share of all problems on which the time is at most {FACTOR} times the fastest, in percent."
    return (
        Column("solver", "Method and how finely it steps.", _name("solver"), "result"),
        Column("tasks", "Tasks that it was planned for.", _whole("tasks"), "result"),
        *([Column(f"time ÷ {baseline}", ratio, _time, "result")] if baseline else []),
        Column("fastest, % of problems", fastest, _share("fastest"), "result"),
        Column(f"within {FACTOR}× the fastest, %", within, _share("within"), "result"),
        Column("cells", "How many of the planned cells ended well.", _ended, "work"),
    )


def _counted(found: list[Table]) -> Iterator[Table]:
    """Yield the table over initial value problems, of evaluations: they are counted, and have no noise."""
    chosen = [one for one in found if one.caption == precision_table.CAPTION and one.baseline]
    if len(chosen) > 1:
        headings = [one.heading for one in chosen[0].columns if one.heading.startswith("NFE to ")]
        yield _over(f"All {len(chosen)} initial value problems", chosen, headings)


def _over(title: str, chosen: list[Table], headings: list[str]) -> Table:
    values: dict[str, dict[str, list[float]]] = {}
    sums: dict[str, list[int]] = {}
    for one in chosen:
        rows = {one.columns[0].cell(row).text: row for row in one.rows}
        for name, row in rows.items():
            counts = sums.setdefault(name, [0, 0, 0])
            sums[name] = [
                n + row[key] for n, key in zip(counts, ("n_ok", "n_planned", "n_timed"), strict=True)
            ]
            for column in (column for column in one.columns if column.heading in headings):
                ours, other = (float(column.cell(each).key) for each in (row, rows[one.baseline]))
                known = math.isfinite(ours) and math.isfinite(other) and other > 0
                values.setdefault(name, {}).setdefault(column.heading, []).extend([ours / other] * known)
    found = [
        {"solver": name, "values": values.get(name, {}), "n_ok": ok, "n_planned": planned, "n_timed": timed}
        for name, (ok, planned, timed) in sums.items()
    ]
    columns = (
        Column("solver", "Method, and what tells it apart from others of it.", _name("solver"), "result"),
        *(Column(f"{one} ÷ baseline", _doc(one), _middle(one), "result") for one in headings),
        Column("cells", "How many of the planned cells ended well.", _ended, "work"),
    )
    shown = extent.more(len(found), extent.ROWS, "rows, the first of the plan,", "summary.parquet")
    return Table(title, "", columns, found[: extent.ROWS], COUNTED_CAPTION, left_out=shown)


def _doc(heading: str) -> str:
    return f"Interquartile mean over the tasks of {heading} over that of the baseline; the lowest and the highest below."


def _middle(heading: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        ratios = row["values"].get(heading, [])
        if not ratios:
            return Cell(numbers.NONE, "", math.nan)
        middle = statistics.interquartile_mean([[one] for one in ratios]).median
        spread = numbers.interval(numbers.significant, middle, min(ratios), max(ratios))
        return Cell(numbers.significant(middle), spread, middle)

    return cell


def _name(key: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(row[key], "", row[key])


def _whole(key: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(f"{row[key]:,}", "", row[key])


def _share(key: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(numbers.NONE if math.isnan(row[key]) else f"{100 * row[key]:.1f}", "", row[key])


def _time(row: Row) -> Cell:
    found = row["time"]
    return Cell(
        numbers.significant(found.median), numbers.interval(numbers.significant, *found), found.median
    )


def _ended(row: Row) -> Cell:
    lost = row["n_planned"] - row["n_ok"]
    text = f"{row['n_ok']:,} of {row['n_planned']:,} ok" if lost else f"{row['n_ok']:,} ok"
    return Cell(text, "", lost)
