"""Performance profiles of time: how often a solver is within a factor of the fastest."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rkbench.record import CellStatus
from rkbench.report import looks
from rkbench.report.figures.style import Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results
from rkbench.report.statistics import performance_profile

FEWEST = 3
"""Problems below which a share says nothing."""

_CAPTION = (
    "Share of the problems, a task and a seed each, that a solver finishes within a factor of the fastest one's time "
    "(Dolan and Moré 2002). At 1: how often it is the fastest; at the right: how often it ends at all, since failures are "
    "infinitely slow. Who is not the best depends on who else is there; times beside other cells are left out."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the profiles over all problems of a run that every solver was to solve."""
    table = costs(results.cells)
    if len(table) >= FEWEST and table.shape[1] > 1 and table.notna().any(axis=None):
        with styled():
            figure = _figure(table, looks.of(results.cells["solver"]))
            yield Drawing("profiles", "Performance profiles of time", _CAPTION, figure)


def costs(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the seconds of every problem, a row, by every solver, a column; NaN for a failure.

    Only solvers that were planned for every problem are there, and problems of which all times may be compared.
    """
    seconds = cells["train_seconds"].fillna(cells["solve_seconds"]).fillna(cells["step_seconds"])
    ok = cells["status"] == CellStatus.OK
    known = cells.assign(seconds=seconds.where(ok))[cells["timing_valid"] | ~ok]
    table = known.pivot_table(
        index=["task", "seed"], columns="solver", values="seconds", aggfunc="first", dropna=False, sort=False
    )
    problems = cells[["task", "seed", "solver"]].drop_duplicates()
    planned = problems["solver"].value_counts()
    everywhere = planned.index[planned == len(problems[["task", "seed"]].drop_duplicates())]
    return table.loc[:, table.columns.isin(everywhere)].dropna(how="all")


def _figure(table: pd.DataFrame, style: dict[str, looks.Look]) -> Figure:
    profile = performance_profile(table.to_numpy(float))
    figure = Figure(figsize=(7.6, 3.9), layout="constrained")
    axes = figure.subplots()
    end = max(2.0, float(profile.factors[-1]) * 1.15)
    for place, solver in enumerate(table):
        look, shares = style[str(solver)], profile.shares[:, place]
        axes.step(
            [*profile.factors, end], [*shares, shares[-1]], where="post", color=look.color, ls=linestyle(look), lw=1.7,
            marker=look.marker, ms=4.5, markevery=0.2, label=looks.name(str(solver)),
        )  # fmt: skip
    axes.set(xscale="log", xlim=(1, end), ylim=(-0.02, 1.03))
    axes.set(xlabel="time ÷ time of the fastest", ylabel=f"share of {len(table)} problems")
    plain_log(axes.xaxis)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("Performance profiles of time")
    figure.legend(loc="outside right upper", fontsize=9 if table.shape[1] < 12 else 7, handlelength=3)
    return figure
