"""Performance profiles: the share of problems that a solver handles within a factor of the fastest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from rkbench.record import CellStatus
from rkbench.report import appearance, frames, gradients, labels, numbers, precision, precision_table
from rkbench.report.figures import legend, panels
from rkbench.report.figures.style import Drawing, linestyle, styled
from rkbench.report.results import Results
from rkbench.report.statistics import performance_profile

LEAST = 3
"""Problems without which a share of them says nothing."""
_MARKED_UP_TO = 10
"""Solvers up to which markers help to tell them apart."""
_FINE = (1, 1.2, 1.5, 2, 3, 4, 6)

Looks = Mapping[str, appearance.Look]

_TITLE = "Performance profiles of time"
_READ = (
    "Share of the problems that a solver handles within a factor of the time of the fastest one on that problem (Dolan & "
    "Moré 2002): at the left how often it is the fastest, at the right how often it succeeds at all, since a failure takes "
    "infinitely long. Above and to the left is better. It compares each with the best of those drawn, not any two with "
    "each other."
)


class Panel(NamedTuple):
    """One profile: its heading, what a problem is, the costs, NaN for a failure, problems × names, and what the axis says."""

    heading: str
    problem: str
    costs: pd.DataFrame
    axis: str = "time ÷ that of the fastest"


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the profiles of the kinds of tasks that give enough problems to more than one solver."""
    cells = results.cells
    solving, roads = precision.cells(cells), gradients.cells(cells)
    pairs = appearance.of_ladders(solving["method"], solving["variant"])
    ladders = dict(
        zip(solving["ladder"], zip(solving["method"], solving["variant"], strict=True), strict=True)
    )
    kinds = (
        ("training", _trained(cells[cells["experiment"] == "training"]), appearance.of(cells["solver"])),
        ("solving", _solved(solving), {ladder: pairs[key] for ladder, key in ladders.items()}),
        ("gradient", _differentiated(roads), appearance.of_roads(roads["variant"])),
    )
    for kind, found, style in kinds:
        telling = [one for one in found if tells(one.costs)]
        if telling:
            with styled():
                yield Drawing(f"profiles_{kind}", _TITLE, _READ + problems(telling), figure(telling, style))


def tells(costs: pd.DataFrame) -> bool:
    """Return whether there are enough problems, more than one solver, and any that succeeded."""
    return len(costs) >= LEAST and costs.shape[1] > 1 and bool(costs.notna().any(axis=None))


def problems(found: list[Panel]) -> str:
    """Return how many problems each profile rests on, in a sentence."""
    counted = (
        f"{one.heading}: {numbers.counted(len(one.costs), 'problem')}, each {one.problem}" for one in found
    )
    return f" {'; '.join(counted)}."


def _trained(cells: pd.DataFrame) -> Iterator[Panel]:
    yield Panel("training time", "a seed of a task", costs(cells, cells["train_seconds"]))
    aimed = cells[cells["task"].isin(set(cells.loc[cells["target"].notna(), "task"]))]
    reached = aimed["seconds_to_target"].fillna(np.inf)
    yield Panel("time to the target", "a seed of a task", costs(aimed, reached))


def _solved(chosen: pd.DataFrame) -> Iterator[Panel]:
    """Yield the time of every ladder to each of the errors at which ladders are compared."""
    comparable = chosen[chosen["timing_valid"] & (chosen["host"] == chosen["host"].mode().max())]
    rungs = dict(list(precision.rungs(comparable).groupby(["task", "ladder"], sort=False)))
    planned = (
        chosen[~frames.left_out(chosen) & ~frames.pending(chosen)]
        .groupby("ladder", sort=False)["task"]
        .nunique()
    )
    tasks = list(dict.fromkeys(chosen["task"]))
    everywhere = [str(ladder) for ladder in planned.index[planned == len(tasks)]]
    for level in precision_table.LEVELS:
        reached = [[_time(rungs.get((task, ladder)), level) for ladder in everywhere] for task in tasks]
        table = pd.DataFrame(reached, tasks, everywhere, dtype=float)
        yield Panel(f"time to an error of {labels.power_of_ten(level)}", "a task", table)


def _time(ladder: pd.DataFrame | None, level: float) -> float:
    return math.nan if ladder is None else precision.cost(ladder, level, "seconds")


def _differentiated(roads: pd.DataFrame) -> Iterator[Panel]:
    for equal, kind in roads.groupby("equal", sort=False):
        table = costs(kind, kind["step_seconds"], "variant", ["task", "method", "setting"])
        yield Panel(
            f"time of a gradient, {'equal' if equal else 'adaptive'} steps", "a seed of a solve", table
        )


def costs(
    cells: pd.DataFrame,
    seconds: pd.Series | None = None,
    name: str = "solver",
    problem: Sequence[str] = ("task",),
) -> pd.DataFrame:
    """Return the seconds of every problem, a row, by every solver, a column; NaN for a failure.

    Only solvers that were tried on every problem are there, and problems where all of them were: a cell that ran beside
    others, on another machine or not at all says nothing.

    Args:
        cells: the frame of `frames.cells`.
        seconds: what each cell took, infinite for a failure of one that ended ok; the time it was run for unless given.
        name: column that tells the solvers apart.
        problem: columns that, with the seed, tell the problems apart.
    """
    if seconds is None:
        seconds = cells["train_seconds"].fillna(cells["solve_seconds"]).fillna(cells["step_seconds"])
    ok = (cells["status"] == CellStatus.OK) & cells["timing_valid"] & (seconds > 0)
    known = seconds.astype("float64").where(ok).mask(frames.failed(cells), np.inf)
    keys = [*problem, "seed", "host"]
    table = (
        cells[[*keys, name]]
        .assign(cost=known)
        .groupby([*keys, name], sort=False)["cost"]
        .first()
        .unstack(name)
    )
    everywhere = table.notna().groupby(level=list(problem), sort=False).any().all()
    return table.loc[:, everywhere].dropna().replace(np.inf, np.nan)


def figure(found: list[Panel], style: Looks, title: str = _TITLE) -> Figure:
    """Return the profiles side by side."""
    drawn, grid = panels.grid(len(found), 3, (6.2 if len(found) == 1 else 4.4, 3.8))
    kept = _best(found)
    for axes, one in zip(grid, found, strict=True):
        _panel(axes, one.costs[[name for name in one.costs if name in kept]], style, one.axis)
        axes.set_title(one.heading)
    panels.heading(drawn, title)
    named = {name: look for name, look in style.items() if name in kept}
    legend.draw(drawn, named, markers=len(kept) <= _MARKED_UP_TO)
    return drawn


def _best(found: list[Panel]) -> set[str]:
    """Return the names that a panel holds: all, or those that are mostly the fastest."""
    ratios = pd.concat([one.costs.div(one.costs.min(axis=1), axis=0) for one in found]).fillna(np.inf)
    middle = ratios.rank(axis=1).median().sort_values(kind="stable")
    return set(middle.index[: panels.MOST_SOLVERS].map(str))


def _panel(axes: Axes, costs: pd.DataFrame, style: Looks, axis: str) -> None:
    few = costs.shape[1] <= _MARKED_UP_TO
    factors, shares = performance_profile(costs.to_numpy())
    last = max(1.15 * factors[-1], 1.3)
    for place, (name, share) in enumerate(zip(costs.columns, shares.T, strict=True)):
        look = style[str(name)]
        axes.step(
            [*factors, last], [*share, share[-1]], where="post", color=look.color, ls=linestyle(look), alpha=0.9,
            lw=1.8 if few else 1.2, marker=look.marker if few else "", ms=4, markevery=(0.01 * (place % 10), 0.12),
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set(xlim=(1, last), ylim=(-0.02, 1.04), xlabel=axis, ylabel="share of problems, %")
    axes.xaxis.set_major_locator(FixedLocator(_ticks(last)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}"))


def _ticks(last: float) -> list[float]:
    """Return factors up to the last that stand apart: powers of two, and others where these are few."""
    powers = [2.0**k for k in range(0, 60, 1 + int(np.log2(last)) // 7) if 2.0**k <= last]
    return powers if len(powers) > 3 else [tick for tick in _FINE if tick <= last]
