"""Roads to the gradient of one solve: what each costs at every depth, and at equal error of the gradient.

A road is what differentiates: a gradient of an engine. A ladder is the solvers of one method and road that differ only
in how finely they step; equal steps and adaptive ones are separate ladders.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import growth, labels, precision, precision_table, statistics
from rkbench.report.growth import Growth
from rkbench.report.summary import paired_times

LEVELS = precision_table.LEVELS
"""Errors of the gradient at which costs are compared: those at which the errors of solutions are, fixed before any run."""

NATIVE, DISCRETE = "rkbench", "backprop"
_NAMED = {
    "gradient_error": "error",
    "discrete_gradient_error": "discrete",
    "step_seconds": "seconds",
    "step_memory_mb": "memory",
}
_MEASURED = ("depth", *_NAMED, "nfe_forward", "nfe_backward", "vjps")
_KEYS = ("task", "ladder", "method", "gradient", "variant", "equal", "setting")
_PAID = (*_KEYS, *_MEASURED, "seed", "host", "status", "timing_valid")
TOLD = [*_PAID, "solver", "engine", "dtype", "train_seconds", "solve_seconds"]
"""Columns of `cells` that tables and sentences need: rows of a few columns are selected in a fraction of the time."""


def cells(all_cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that differentiated a solve.

    They have ``variant``, the road in words; ``ladder``, the label of method and road; ``equal``, whether the steps are
    equal; ``setting``, how finely they step; and ``depth``, the number of accepted steps.
    """
    chosen = all_cells[all_cells["experiment"] == "gradient"]
    told = labels.variants(chosen.assign(engine="", gradient=_roads(chosen)))
    ladder = chosen["method"].where(told == "", chosen["method"] + " · " + told)
    settings = [
        f"{steps} steps" if pd.notna(steps) else f"rtol {labels.power_of_ten(rtol)}" if pd.notna(rtol) else ""
        for steps, rtol in zip(chosen["steps"], chosen["rtol"], strict=True)
    ]
    return chosen.assign(
        variant=told.str.removeprefix("equal steps").str.removeprefix(" · "),
        ladder=ladder.astype("str"),
        equal=chosen["steps"].notna(),
        setting=pd.Series(settings, chosen.index, dtype="str"),
        depth=chosen["accepted"].fillna(chosen["steps"].astype("float64")),
    )


def _roads(chosen: pd.DataFrame) -> pd.Series:
    """Return the names of the roads: a gradient of ours, or an engine with its gradient where it has others, too."""
    several = chosen.groupby("engine")["gradient"].transform("nunique") > 1
    spelt = chosen["engine"].where(
        ~several & (chosen["gradient"] == DISCRETE), chosen["engine"] + " · " + chosen["gradient"]
    )
    return spelt.where(chosen["engine"] != NATIVE, chosen["gradient"])


def rungs(chosen: pd.DataFrame, *apart: str) -> pd.DataFrame:
    """Return one row per task, ladder and setting with a cell that ended ok, by growing depth: medians over seeds.

    The columns are task, ladder, method, gradient, variant, equal, setting, depth, error (at least `precision.SMALLEST`),
    discrete (the error against the gradient of the same solve), seconds, memory (MiB), nfe_forward, nfe_backward and
    vjps; ``seconds_low`` and ``seconds_high`` are the ends of an interval.
    Columns named in ``apart`` are kept apart, such as the seed.
    """
    ok = chosen[chosen["status"] == CellStatus.OK]
    groups = ok.groupby([*_KEYS, *apart], sort=False)
    found = groups[list(_MEASURED)].median()
    spread = [statistics.median(times)[1:] for times in _split(ok["step_seconds"], groups.ngroup())]
    found[["seconds_low", "seconds_high"]] = pd.DataFrame(
        spread, found.index, columns=["low", "high"], dtype=float
    )
    found = found.rename(columns=_NAMED).reset_index()
    found["error"] = found["error"].clip(lower=precision.SMALLEST)
    return found.sort_values("depth", kind="stable")


def _split(values: pd.Series, group: pd.Series) -> list[np.ndarray]:
    """Return the values of each group, given their numbers, in a fraction of the time that pandas takes for it."""
    order = np.argsort(group.to_numpy(), kind="stable")
    ends = np.cumsum(np.bincount(group))[:-1]
    return np.split(values.to_numpy()[order], ends) if len(values) else []


def law(ladder: pd.DataFrame) -> Growth:
    """Return how the memory of a ladder, rows of `rungs`, grows with its depth."""
    return growth.fit(ladder["depth"].to_numpy(), ladder["memory"].to_numpy())


def spelt(found: Growth, ladder: pd.DataFrame) -> str:
    """Return a law as it is spoken of: ``O(√N)``; ``O(log N) or O(√N)`` where the numbers cannot tell.

    What grows with N and keeps what each of the s stages left, as backprop does, grows with N·s.
    """
    keeps = ladder["gradient"].iloc[0] == DISCRETE
    return " or ".join(f"O({'N·s' if keeps and one == 'N' else one})" for one in found.laws)


def finest(chosen: pd.DataFrame, ladder: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of the last rung of a ladder, rows of `rungs`."""
    return chosen[
        (chosen["ladder"] == ladder["ladder"].iloc[-1]) & (chosen["setting"] == ladder["setting"].iloc[-1])
    ]


def beside(chosen: pd.DataFrame, of: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of backprop by the native engine with the method and setting of some cells, all alike."""
    one = of.iloc[0]
    found = chosen[
        (chosen["engine"] == NATIVE) & (chosen["gradient"] == DISCRETE) & (chosen["task"] == one["task"])
        & (chosen["method"] == one["method"]) & (chosen["setting"] == one["setting"])
    ]  # fmt: skip
    return found[found["ladder"] == found["ladder"].iloc[0]] if len(found) else found


def time_ratio(chosen: pd.DataFrame, ladder: pd.DataFrame) -> statistics.Estimate:
    """Return the time of a ladder's last rung over that of backprop at the same setting, paired by seed."""
    last = finest(chosen, ladder)
    return paired_times(last, beside(chosen, last))


def resolution(task: pd.DataFrame, replicas: pd.DataFrame) -> float:
    """Return the factor, at least 1, by which times may differ of one solver under two labels; 1 where none has two.

    Args:
        task: rows of `cells` of one task.
        replicas: cells of the same run under the second label.
    """
    twice = replicas[replicas["task"].isin(task["task"])]
    apart = paired_times(twice, task[task["solver"].isin(twice["solver"])])
    ends = [end for end in (apart.low, 1 / apart.low, apart.high, 1 / apart.high) if not math.isnan(end)]
    return max(ends, default=1.0)


Seed = tuple[Hashable, str]
"""A seed, and the machine it ran on."""


class Cost(NamedTuple):
    """What one ladder pays for an error of the gradient, by seed and machine; infinity where no rung reaches it.

    Attributes:
        seconds: time; NaN where cells ran beside others, or on several machines.
        shown: time, whether it may be compared or not.
        memory: MiB.
        bound: whether the coarsest rung is that accurate already, so that the costs are upper bounds.
    """

    seconds: dict[Seed, float]
    shown: dict[Seed, float]
    memory: dict[Seed, float]
    bound: bool

    @property
    def reached(self) -> bool:
        """Whether every seed reached the error."""
        return bool(self.shown) and math.inf not in self.shown.values()

    @property
    def timed(self) -> bool:
        """Whether every time may be compared."""
        return not any(map(math.isnan, self.seconds.values()))


def costs(ladder: pd.DataFrame, by_seed: pd.DataFrame | None = None) -> dict[float, Cost]:
    """Return what the cells of a ladder say that each of `LEVELS` costs, seed by seed (see `precision.cost`).

    Args:
        ladder: rows of `cells`.
        by_seed: its `rungs`, seed by seed, where they are known; those of a whole task take little longer than of one.
    """
    ran = ladder.loc[ladder["status"] != CellStatus.SKIPPED, list(_PAID)]
    reaching = (rungs(ran, "seed") if by_seed is None else by_seed).dropna(subset="error")
    steps = {name: reaching[name].to_numpy(dtype=float) for name in ("error", "seconds", "memory")}
    seed_of = reaching["seed"].to_numpy()
    seeds: dict[Seed, tuple[bool, dict[str, np.ndarray]]] = {}
    for seed, (host, comparable) in _machines(ran).items():
        own = seed_of == seed
        seeds[seed, host] = comparable, {name: values[own] for name, values in steps.items()}
    return {level: _cost(seeds, level) for level in LEVELS}


def _machines(cells: pd.DataFrame) -> dict[Hashable, tuple[str, bool]]:
    """Return, by seed, the machine of its first cell, and whether the times of those that ended ok may be compared."""
    first = cells.groupby("seed")["host"].first()
    ok = cells[cells["status"] == CellStatus.OK].groupby("seed")
    comparable = (ok["timing_valid"].all() & (ok["host"].nunique() == 1)).reindex(
        first.index, fill_value=False
    )
    pairs = zip(first.index, first, comparable, strict=True)
    return {seed: (str(host), bool(together)) for seed, host, together in pairs}


def _cost(seeds: dict[Seed, tuple[bool, dict[str, np.ndarray]]], level: float) -> Cost:
    seconds, shown, memory, bounds = {}, {}, {}, []
    for seed, (comparable, steps) in seeds.items():
        reached = bool((steps["error"] <= level).any())
        shown[seed] = precision.cost(steps, level, "seconds") if reached else math.inf
        memory[seed] = precision.cost(steps, level, "memory") if reached else math.inf
        seconds[seed] = shown[seed] if comparable else math.nan
        bounds.append(reached and steps["error"][0] <= level)
    return Cost(seconds, shown, memory, bound=bool(bounds) and all(bounds))


def ratio(one: Cost, other: Cost) -> statistics.Estimate:
    """Return how many times as long one ladder takes as another to reach an error that both reach, paired by seed."""
    pairs = [(one.seconds[seed], other.seconds[seed]) for seed in one.seconds if seed in other.seconds]
    return statistics.ratio([above for above, _ in pairs], [below for _, below in pairs])
