"""The tables of signals: what of the gradient reaches the first layer, by network and depth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import extent, numbers, signal_findings, signals
from rkbench.report.statistics import Estimate
from rkbench.report.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

MOST = 6
"""Settings that have columns of their own."""

CAPTION = (
    "The 2-norm of the gradient of the loss, cross-entropy of a batch behind a linear classifier, at the first layer over "
    "that at the last, before any training: with respect to the state after the layer, and to the parameters of the layer. "
    "Of an ODE-net a layer is one step of its solve, and its parameters are copies, one for each step. Per layer is the "
    "geometric mean over all layers of the deepest network. Medians over seeds, of weights and batches, with their intervals."
)

_SAID = {"state_gradient_ratio": "state", "parameter_gradient_ratio": "parameters"}


def tables(results: Results) -> list[Table]:
    """Return one table for every dataset on which signals were followed, with what it says in sentences."""
    chosen, found = signals.cells(results.cells), []
    for dataset, own in chosen.groupby("dataset", sort=False):
        known = signals.settings(own)
        rows = [_row(str(name), ladder) for name, ladder in own.groupby("ladder", sort=False)]
        said = signal_findings.sentences(own, results.signals)
        shown = extent.more(len(known), MOST, "depths, the least,", "cells.parquet")
        found.append(
            Table(
                f"Signals on {dataset}",
                "first layer ÷ last",
                _columns(known[:MOST]),
                rows,
                CAPTION,
                tuple(said),
                left_out=shown,
            )
        )
    return found


def _row(name: str, ladder: pd.DataFrame) -> Row:
    ok = int((ladder["status"] == CellStatus.OK).sum())
    lost = ladder.loc[ladder["status"] != CellStatus.OK, "status"].value_counts(sort=False)
    row: Row = {"ladder": name, "n_planned": len(ladder), "n_ok": ok, "n_timed": ok}
    row["lost"] = ", ".join(f"{count} {status}" for status, count in lost.items())
    row["per_layer"] = signals.per_layer(signals.deepest(ladder))
    for column in signals.RATIOS:
        row[column] = {
            setting: signals.ratio(cells, column) for setting, cells in ladder.groupby("setting", sort=False)
        }
    return row


def _columns(settings: list[str]) -> tuple[Column, ...]:
    per_layer = "By how much one of its layers multiplies the gradient with respect to the state on its way back; no unit."
    return (
        Column("network", "Family of networks, and method.", lambda row: Cell(row["ladder"], "", row["ladder"]), "result"),
        *(_of(setting, "state_gradient_ratio", "result") for setting in settings),
        Column("per layer", per_layer, lambda row: _estimate(row["per_layer"]), "result"),
        *(_of(setting, "parameter_gradient_ratio", "work") for setting in settings),
        Column("cells", "How many of the cells, one per depth and seed, ended well, and how the others did.", _ended, "work"),
    )  # fmt: skip


def _of(setting: str, column: str, group: str) -> Column:
    what = _SAID[column]
    doc = f"Gradient with respect to {what} at the first layer over that at the last, {setting}; no unit."
    return Column(f"{what}, {setting}", doc, _entry(column, setting), group)


def _entry(column: str, setting: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        found = row[column].get(setting)
        return Cell(numbers.NONE, "", math.nan) if found is None else _estimate(found)

    return cell


def _estimate(found: Estimate) -> Cell:
    return Cell(
        numbers.significant(found.median), numbers.interval(numbers.significant, *found), found.median
    )


def _ended(row: Row) -> Cell:
    lost = row["n_planned"] - row["n_ok"]
    return Cell(
        f"{row['n_ok']} of {row['n_planned']} ok, {row['lost']}" if lost else f"{row['n_ok']} ok", "", lost
    )
