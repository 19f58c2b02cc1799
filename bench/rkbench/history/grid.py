"""The results of one file, taken apart: asv keeps one list per benchmark, over the product of its parameters."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from rkbench.history.series import Point

_MOST = 10_000
"""Sets of parameters of one benchmark, beyond which its file is not asv's."""
_QUARTILES = 1.349
"""Distance of the quartiles of a normal distribution, in standard deviations."""


class Benchmark(NamedTuple):
    """What asv says of a benchmark: its type, the unit of its numbers, and the version of its code."""

    type: str
    unit: str
    version: str


def points(
    file: dict[str, Any], benchmarks: dict[str, Benchmark], skipped: dict[str, int]
) -> Iterator[tuple[str, str, Point]]:
    """Yield benchmark, parameters and point of every result of a file.

    Args:
        file: a result file that `reading` has checked.
        benchmarks: what the suite holds now, by name.
        skipped: reason -> how many results were left out for it; added to.
    """
    for name, row in file["results"].items():
        why = _refused(name, row, file["result_columns"], benchmarks)
        if why:
            skipped[why] = skipped.get(why, 0) + 1
            continue
        columns = dict(zip(file["result_columns"], row, strict=False))
        cells = list(product(*(columns.get("params") or [])))
        values = columns.get("result") or [None] * len(cells)
        for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
            text = ", ".join(map(_spelled, cell))
            yield name, text, _point(file["commit_hash"], value, _deviation(columns, place))


def _refused(name: str, row: Any, columns: list[Any], benchmarks: dict[str, Benchmark]) -> str:
    """Return why a result cannot be used, in words; empty where it can."""
    if name not in benchmarks:
        return f"{name}, which the suite no longer has"
    if not isinstance(row, list):
        return f"a result of {name} that is no list"
    found = dict(zip(columns, row, strict=False))
    if found.get("version") not in (None, benchmarks[name].version):
        return f"{name} as an earlier version of it measured"
    parameters, values = found.get("params") or [], found.get("result")
    if not isinstance(parameters, list) or not all(isinstance(axis, list) for axis in parameters):
        return f"a result of {name} whose parameters are no lists"
    count = math.prod(map(len, parameters))
    if count > _MOST:
        return f"a result of {name} with more than {_MOST:,} parameters"
    if values is not None and (not isinstance(values, list) or len(values) != count):
        return f"a result of {name} that does not fit its parameters"
    return ""


def _point(commit: str, value: Any, error: float) -> Point:
    """Return what a number of asv stands for: null is a failure, NaN a benchmark that did not apply."""
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isinf(value):
        return Point(commit, math.nan, 0.0, "failed")
    if math.isnan(value):
        return Point(commit, math.nan, 0.0, "not applicable")
    return Point(commit, float(value), error, "measured")


def _deviation(columns: dict[str, Any], place: int) -> float:
    """Return the standard deviation of the logarithms of the samples behind a median, from their quartiles.

    It is not divided by the root of their number: samples of one process share what disturbed that process.
    """
    low, high = (_entry(columns.get(name), place) for name in ("stats_q_25", "stats_q_75"))
    return math.log(high / low) / _QUARTILES if low and high and 0 < low <= high else 0.0


def _entry(values: Any, place: int) -> float | None:
    """Return a number of a list that may be absent, short or hold anything."""
    found = values[place] if isinstance(values, list) and place < len(values) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def _spelled(parameter: Any) -> str:
    """Return the value of a parameter, which asv keeps as Python spells it."""
    try:
        found = ast.literal_eval(str(parameter))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return str(parameter)
    return found if isinstance(found, str) else str(parameter)
