"""Work and precision: what solvers of an initial value problem cost at equal error.

A ladder is the solvers of one method that differ only in how finely they step: in the number of equal steps, or in
the tolerance. Nominal tolerances are not comparable between methods; costs at equal error are.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import labels

SMALLEST = 1e-17
"""Below the round-off of float64: what an exact answer is drawn at on a logarithmic scale."""


def cells(all_cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that solved an initial value problem, with ``variant`` and ``ladder``, the ladder's label."""
    chosen = all_cells[all_cells["experiment"] == "solving"]
    variant = labels.variants(chosen)
    ladder = chosen["method"].where(variant == "", chosen["method"] + " · " + variant)
    return chosen.assign(variant=variant, ladder=ladder.astype("str"))


def rungs(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return one row per task, ladder and solver that ended ok, by growing work: medians over seeds.

    The columns are task, ladder, method, variant, solver, error (at least `SMALLEST`), nfe and seconds.
    """
    ok = chosen[(chosen["status"] == CellStatus.OK) & chosen["solution_error"].notna()]
    measured = ok.groupby(["task", "ladder", "method", "variant", "solver"], sort=False)[
        ["solution_error", "nfe_forward", "solve_seconds"]
    ].median()
    named = {"solution_error": "error", "nfe_forward": "nfe", "solve_seconds": "seconds"}
    found = measured.rename(columns=named).reset_index()
    found["error"] = found["error"].clip(lower=SMALLEST)
    return found.sort_values("nfe", kind="stable")


def cost(ladder: pd.DataFrame | dict[str, np.ndarray], level: float, column: str) -> float:
    """Return what reaching an error costs: between two rungs interpolated in logarithms; NaN when none reaches it.

    Args:
        ladder: rows of `rungs` of one task and ladder, or their columns.
        level: the error to reach.
        column: ``nfe`` or ``seconds``.

    Returns:
        The cost of the first rung at or below the error, or less as far as the line to the rung before it says. The
        cheapest rung has none before it: its cost is an upper bound.
    """
    errors, costs = (np.asarray(ladder[name], dtype=float) for name in ("error", column))
    reached = np.flatnonzero(errors <= level)
    if reached.size == 0:
        return math.nan
    first = reached[0]
    if first == 0:
        return float(costs[0])
    x = np.log(errors[[first, first - 1]])
    return float(np.exp(np.interp(math.log(level), x, np.log(costs[[first, first - 1]]))))
