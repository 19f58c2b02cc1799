"""What becomes of the gradient on its way to the first layer, in sentences that the numbers bear out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import numbers, signals
from rkbench.report.statistics import Estimate

SINGLE = float(np.finfo(np.float32).smallest_subnormal)
"""The smallest positive number of float32, about 1.4e-45."""

_Measured = Callable[[pd.DataFrame], Estimate]


def sentences(chosen: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """Return what the deepest networks do to the gradient, what each layer does, and what depth does to what is solved.

    Args:
        chosen: rows of `signals.cells` of one dataset.
        points: what was measured at each layer of these cells.
    """
    ok = chosen[chosen["status"] == CellStatus.OK]
    deep = signals.deepest(ok)
    if deep.empty:
        return []
    whole = _of_families(deep, lambda cells: signals.ratio(cells, "state_gradient_ratio"))
    said = [f"Of {deep['setting'].iloc[0]}, the gradient at the first over that at the last: {whole}."]
    if deep["depth"].iloc[0] > 1:
        said.append(f"Each of these layers multiplies it by {_of_families(deep, signals.per_layer)}.")
    return [*said, *_solved(ok), *_lost(deep, points)]


def _of_families(cells: pd.DataFrame, measured: _Measured) -> str:
    """Return what was measured of every family, from small to large; the range where one has several ladders."""
    found = []
    for family, own in cells.groupby("family", sort=False):
        each = [measured(ladder) for _, ladder in own.groupby("ladder", sort=False)]
        middles = [one.median for one in each if not math.isnan(one.median)]
        if middles:
            text = _spelt(each[0]) if len(each) == 1 else _range(middles)
            found.append((middles[0], f"{text} for {family}{_solvers(len(each))}"))
    return numbers.listed([text for _, text in sorted(found)])


def _solvers(count: int) -> str:
    return f" with {count} solvers" if count > 1 else ""


def _solved(ok: pd.DataFrame) -> list[str]:
    """Return between what the ratios of a family lie that was solved with several numbers of steps."""
    found = []
    for family, own in ok[ok["method"] != ""].groupby("family", sort=False):
        depths = own["depth"].dropna()
        if depths.nunique() > 1:
            cells = [cells for _, cells in own.groupby(["ladder", "setting"], sort=False)]
            middles = [signals.ratio(one, "state_gradient_ratio").median for one in cells]
            found.append(
                f"Of {family} that ratio is {_range(middles)}, from {depths.min():,.0f} to {depths.max():,.0f} steps"
                f"{' of any of its solvers' if own['ladder'].nunique() > 1 else ''}."
            )
    return found


def _lost(deep: pd.DataFrame, points: pd.DataFrame) -> list[str]:
    """Return of which networks nothing would reach, or reaches, the first layer in float32."""
    first = points[points["layer"] == 1].set_index("cell_id")["state_gradient"]
    most = deep["cell_id"].map(first).groupby(deep["ladder"], sort=False).max()
    lost = most.index[most < SINGLE]
    if lost.empty:
        return []
    return [
        f"At the first of {deep['setting'].iloc[0]} it is below {numbers.error(SINGLE)}, the smallest number of float32, "
        f"where nothing of it is left, for {numbers.listed(list(map(str, lost)))}."
    ]


def _range(values: list[float]) -> str:
    ends = [numbers.significant(end) for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def _spelt(found: Estimate) -> str:
    interval = numbers.interval(numbers.significant, *found)
    return (
        f"{numbers.significant(found.median)} [{interval}]" if interval else numbers.significant(found.median)
    )
