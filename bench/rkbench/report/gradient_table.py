"""The tables of a gradient task: what each road costs against depth, and at equal error of the gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import gradient_findings, gradients, labels, numbers, statistics
from rkbench.report.statistics import Estimate
from rkbench.report.summary import paired_times
from rkbench.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

DEPTH_CAPTION = (
    "Memory is the most tensors alive at once, forward and backward, beyond state and parameters; N is the number of "
    "steps, s that of stages. The law of growth is fitted by least squares, with a base, to constant, log2 N, √N "
    "and N, and the memory that one more of these adds is given with the range over fits that leave a point out. O(1): a "
    "rise of at most 5 %; two laws: the numbers cannot tell them apart; –: too few points, or no law fits. What backprop "
    "keeps grows with N and is every stage's, hence N·s. From NFE on, the columns are of the finest setting, and so is "
    "the time over that of backprop by the native engine at the same setting, median of ratios at equal seed."
)
ERROR_CAPTION = (
    "Time and memory at equal error of the gradient: against that of a solve in float64 at a tight tolerance, to the "
    "initial state or the parameters, whichever is larger. Between two settings both are interpolated in logarithms; ≤: "
    "already the coarsest setting is that accurate; –: not every seed reaches it. Medians over seeds with their "
    "intervals. Times are told apart where the interval of their ratio, paired by seed, leaves out 1, and what the "
    "baseline differs by from its own second label."
)


def tables(results: Results) -> list[Table]:
    """Return two tables for every gradient task of a run; what the second says is stated in sentences below it."""
    chosen, found = gradients.cells(results.cells)[gradients.TOLD], []
    for name, task in chosen.groupby("task", sort=False):
        rungs = gradients.rungs(task)
        by_seed = gradients.rungs(task, "seed")
        rows = _rows(task, rungs, by_seed)
        apart = gradients.resolution(task, results.replicas)
        deep = tuple(gradient_findings.depth(task, rungs, apart))
        found.append(Table(str(name), "against depth", _DEPTH, rows, DEPTH_CAPTION, deep))
        if task["gradient_error"].notna().any():
            said = tuple(
                gradient_findings.sentences(task, {row["ladder"]: row["costs"] for row in rows}, apart)
            )
            found.append(
                Table(str(name), "at equal error of the gradient", _ERROR, rows, ERROR_CAPTION, said)
            )
    return found


def _order(task: pd.DataFrame, rungs: pd.DataFrame) -> list[str]:
    """Return the ladders, those of one method and kind of steps together, the greediest for memory first."""
    most = rungs.groupby("ladder")["memory"].max()
    ladders = task.drop_duplicates("ladder")[["method", "equal", "ladder"]]
    kinds = list(dict.fromkeys(zip(ladders["method"], ladders["equal"], strict=True)))
    rank = {
        ladder: (kinds.index((method, equal)), -most.get(ladder, math.nan))
        for method, equal, ladder in ladders.itertuples(index=False)
    }
    return sorted(rank, key=lambda ladder: (rank[ladder][0], math.isnan(rank[ladder][1]), rank[ladder][1]))


def _rows(task: pd.DataFrame, rungs: pd.DataFrame, by_seed: pd.DataFrame) -> list[Row]:
    """Return a row for every ladder, given the rungs of all, and these seed by seed."""
    frames = (task, rungs, by_seed)
    apart = [dict(iter(one.groupby("ladder", sort=False))) for one in frames]
    exact = task[(task["engine"] == gradients.NATIVE) & (task["gradient"] == gradients.DISCRETE)]
    return [
        _row(exact, name, *(own.get(name, one[:0]) for own, one in zip(apart, frames, strict=True)))
        for name in _order(task, rungs)
    ]


def _row(
    exact: pd.DataFrame, name: str, cells: pd.DataFrame, ladder: pd.DataFrame, seeds: pd.DataFrame
) -> Row:
    ok = cells["status"] == CellStatus.OK
    row: Row = {"ladder": name, "n_planned": len(cells), "n_ok": int(ok.sum())}
    row |= {"n_timed": int((ok & cells["timing_valid"]).sum()), "error": ladder["error"].min()}
    row["lost"] = ", ".join(
        f"{count} {status}" for status, count in cells.loc[~ok, "status"].value_counts(sort=False).items()
    )
    deep = _deep(exact, cells, ladder) if len(ladder) else {}
    return row | {"costs": gradients.costs(cells, seeds)} | deep


def _deep(exact: pd.DataFrame, cells: pd.DataFrame, ladder: pd.DataFrame) -> Row:
    """Return how a ladder grows, and what its first and last rungs are, beside the cells of backprop that are exact."""
    growth = gradients.law(ladder)
    row: Row = {
        "growth": growth,
        "law": gradients.spelt(growth, ladder),
        "first": ladder.iloc[0],
        "last": ladder.iloc[-1],
    }
    last = gradients.finest(cells, ladder)
    row |= {name: statistics.median(last[name].to_numpy()) for name in _LAST}
    if last["gradient"].iloc[0] == gradients.DISCRETE:  # it would be held against itself
        row["discrete_gradient_error"] = statistics.NOTHING
    return row | {"ratio": paired_times(last, gradients.beside(exact, last))}


_LAST = ("nfe_forward", "nfe_backward", "vjps", "gradient_error", "discrete_gradient_error")


def _law(row: Row) -> Cell:
    fastest = {"": 9, "O(1)": 0, "O(log N)": 1, "O(√N)": 2, "O(N)": 3, "O(N·s)": 4}
    said = row.get("law", "")
    return Cell(said or numbers.NONE, "", float(fastest.get(said, 5)))


def _slope(row: Row) -> Cell:
    growth = row.get("growth")
    if growth is None or growth.law is None or growth.slope == 0:
        return Cell(numbers.NONE, "", math.nan)
    return _estimate(Estimate(growth.slope, growth.low, growth.high), numbers.significant)


def _steps(row: Row) -> Cell:
    return _ends(row, "depth", lambda depth: f"{depth:,.0f}")


def _memory(row: Row) -> Cell:
    return _ends(row, "memory", numbers.significant)


def _ends(row: Row, name: str, spell: Callable[[float], str]) -> Cell:
    """Return what the first and the last rung have, such as ``1.38 → 128``."""
    if "last" not in row or math.isnan(row["last"][name]):
        return Cell(numbers.NONE, "", math.nan)
    ends = [spell(float(row[end][name])) for end in ("first", "last")]
    return Cell(" → ".join(dict.fromkeys(ends)), "", float(row["last"][name]))


def _setting(row: Row) -> Cell:
    return Cell(
        row["last"]["setting"] if "last" in row else numbers.NONE,
        "",
        row["last"]["depth"] if "last" in row else math.nan,
    )


def _last(name: str, spell: Callable[[float], str]) -> Callable[[Row], Cell]:
    return lambda row: _estimate(row.get(name, statistics.NOTHING), spell)


def _cost(part: str, level: float, spell: Callable[[float], str]) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        cost = row["costs"][level]
        if not cost.reached:
            return Cell(numbers.NONE, "", math.inf)
        entry = _estimate(statistics.median(list(getattr(cost, part).values())), spell)
        untimed = " †" if part == "shown" and row["n_timed"] < row["n_ok"] else ""
        return entry._replace(text=("≤ " if cost.bound else "") + entry.text + untimed)

    return cell


def _estimate(found: Estimate, spell: Callable[[float], str]) -> Cell:
    return Cell(spell(found.median), numbers.interval(spell, *found), found.median)


def _status(row: Row) -> Cell:
    said = (
        f"{row['n_ok']} ok" if not row["lost"] else f"{row['n_ok']} of {row['n_planned']} ok, {row['lost']}"
    )
    return Cell(said, "", row["n_planned"] - row["n_ok"])


def _error(value: float) -> str:
    return "0" if value == 0 else numbers.error(value)


def _milliseconds(value: float) -> str:
    return numbers.significant(1000 * value)


_ROAD = Column(
    "solver",
    "A road to the gradient: a method with the way its solve is differentiated, and with all settings it was run with.",
    lambda row: Cell(row["ladder"], "", row["ladder"]),
    "result",
)
_CELLS = Column(
    "cells",
    "How many of the planned cells, one per setting and seed, ended well, and how the others did.",
    _status,
    "work",
)

_DEPTH = (
    _ROAD,
    Column(
        "memory",
        "How memory grows with the number N of steps, fitted by least squares; s is the number of stages.",
        _law,
        "result",
    ),
    Column(
        "MiB per N, √N or log2 N",
        "Memory that one more of what it grows with costs, in MiB.",
        _slope,
        "result",
    ),
    Column("N", "Steps of the solve, at the coarsest and at the finest setting.", _steps, "result"),
    Column(
        "MiB",
        "Most tensors alive at once, forward and backward, beyond state and parameters, in MiB: at the coarsest and at the "
        "finest setting.",
        _memory,
        "result",
    ),
    Column(
        "time ÷ backprop",
        "Time of one solve forward and backward over that of backprop by the native engine, both at the finest setting, "
        "paired by seed; no unit.",
        _last("ratio", numbers.significant),
        "result",
    ),
    Column(
        "finest setting", "The most steps, or the smallest tolerance, that it was run with.", _setting, "work"
    ),
    Column(
        "NFE forward",
        "Evaluations of f in the solve at the finest setting; median over seeds.",
        _last("nfe_forward", numbers.count),
        "work",
    ),
    Column(
        "NFE backward",
        "Evaluations of f on the way back at the finest setting; median over seeds.",
        _last("nfe_backward", numbers.count),
        "work",
    ),
    Column(
        "VJPs",
        "Vector-Jacobian products of f at the finest setting; median over seeds.",
        _last("vjps", numbers.count),
        "work",
    ),
    Column(
        "gradient error",
        "Error of the gradient at the finest setting, relative to that of a solve in float64 at a tight tolerance; no unit.",
        _last("gradient_error", _error),
        "work",
    ),
    Column(
        "off backprop",
        "The same against backprop through the same solve by the same engine, the exact gradient of what it computed.",
        _last("discrete_gradient_error", _error),
        "work",
    ),
    _CELLS,
)

_PRICES = (
    ("ms", "Time of one solve forward and backward, in milliseconds", "shown", _milliseconds),
    ("MiB", "Most tensors alive at once, beyond state and parameters, in MiB", "memory", numbers.significant),
)
_SMALLEST = "The smallest error of the gradient that any of its settings reached, relative; no unit."

_ERROR = (
    _ROAD,
    *(
        Column(
            f"{unit} to {labels.power_of_ten(level)}",
            f"{doc}, where the error of the gradient is {labels.power_of_ten(level)}; median over seeds.",
            _cost(part, level, spell),
            "result",
        )
        for unit, doc, part, spell in _PRICES
        for level in gradients.LEVELS
    ),
    Column(
        "smallest error",
        _SMALLEST,
        lambda row: Cell(numbers.error(row["error"]), "", row["error"]),
        "work",
    ),
    _CELLS,
)
