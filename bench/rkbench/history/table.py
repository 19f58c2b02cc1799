"""The table of all series of a machine: where each began, where it stands, and what could have been seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rkbench.history import words
from rkbench.history.judged import Judged
from rkbench.report import numbers
from rkbench.report.table import Cell


class Column(NamedTuple):
    """A column: what it is called, what it holds, and its entry for a series."""

    heading: str
    doc: str
    cell: Callable[[Judged], Cell]


def _level(place: int) -> Callable[[Judged], Cell]:
    def cell(judged: Judged) -> Cell:
        value = judged.levels[place][2] if judged.levels else math.nan
        return Cell(words.amount(judged.series, value), "", value)

    return cell


def _total(judged: Judged) -> Cell:
    first, last = (judged.levels[place][2] if judged.levels else math.nan for place in (0, -1))
    value = last / first if first else 1.0 if last == first else math.inf
    return Cell("no step" if value == 1 and len(judged.levels) == 1 else _times(value), "", value)


def _scatter(judged: Judged) -> Cell:
    if judged.series.kind == "exact":
        return Cell("none", "", 0.0)
    value = judged.noise.scatter if judged.noise else math.nan
    return Cell(numbers.NONE if math.isnan(value) else f"{100 * value:.2g} %", "", value)


def _resolution(judged: Judged) -> Cell:
    value = judged.resolution
    text = "any change" if value == 1 else numbers.NONE if math.isnan(value) else f"{100 * (value - 1):.2g} %"
    return Cell(text, "", value)


def _counts(judged: Judged) -> Cell:
    return Cell(words.counts(judged.series), "", float(len(judged.series.measured)))


def _times(value: float) -> str:
    return numbers.NONE if math.isnan(value) else f"{numbers.significant(value)}×"


def _unit(judged: Judged) -> Cell:
    return Cell(judged.series.unit, "", judged.series.unit)


COLUMNS = (
    Column("unit", "Of the numbers, as the benchmark gives them; less is better.", _unit),
    Column("first level", "What it was at the first commits, up to the first step.", _level(0)),
    Column("latest level", "What it is at the latest commits, since the last step.", _level(-1)),
    Column("latest ÷ first", "The latest level over the first; less than 1 is better.", _total),
    Column("noise", "Standard deviation from commit to commit while nothing changes, in percent of the value.", _scatter),
    Column("could see", "The smallest change that would be claimed at one more commit.", _resolution),
    Column("values", "At how many commits there is a value, of those at which it was tried, and why not at the others.", _counts),
)  # fmt: skip
