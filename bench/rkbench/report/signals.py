"""Signals: how much of the gradient of the loss reaches each layer of a network as it is initialised.

A family is the networks that differ in their depth alone; a ladder is that, or of those that are solved one method.
"""

from __future__ import annotations

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import families, labels, statistics
from rkbench.report.statistics import Estimate

RATIOS = ("state_gradient_ratio", "parameter_gradient_ratio")
"""First layer over last, by what the gradient is with respect to."""

DEPTH = "depth"
"""The option of a task that is the number of its layers."""

_TOLD = (
    "task",
    "dataset",
    "family",
    "method",
    "ladder",
    "setting",
    "depth",
    "equal",
    "status",
    "seed",
    "dtype",
    "cell_id",
    *RATIOS,
)
"""Columns of `cells`."""  # fmt: skip


def cells(all_cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that followed a signal, or were to.

    They have ``family`` and ``ladder``, which are labels; ``depth``, the number of layers or of accepted steps, missing
    for a stack that was not measured; ``equal``, whether that was given; and ``setting``, what was given, in words.
    """
    chosen = all_cells[all_cells["experiment"] == "signal"]
    told = labels.variants(chosen).str.removeprefix("equal steps").str.removeprefix(" · ")
    family = ladder = _families(chosen)
    for part in (chosen["method"], told):
        ladder = ladder.where(part == "", ladder + " · " + part)
    depth = chosen["layers"].fillna(chosen["steps"])
    settings = [
        f"rtol {labels.power_of_ten(rtol)}"
        if pd.notna(rtol)
        else f"{layers} layers"
        if pd.notna(layers)
        else ""
        for rtol, layers in zip(chosen["rtol"], depth, strict=True)
    ]
    return chosen.assign(
        family=family,
        ladder=ladder.astype("str"),
        depth=depth.astype("float64"),
        equal=chosen["rtol"].isna(),
        setting=pd.Series(settings, chosen.index, dtype="str"),
    )[list(_TOLD)]


def _families(chosen: pd.DataFrame) -> pd.Series:
    """Return what the tasks are called whatever their depth, without what all of one dataset begin with."""
    deep = {task: families.without(task, DEPTH) for task in map(str, chosen["task"].unique())}
    found = {}
    for _, own in chosen.groupby("dataset", sort=False):
        tasks = list(map(str, own["task"].unique()))
        short = families.short(deep[task] for task in tasks)
        found |= {task: short[deep[task]] for task in tasks}
    return chosen["task"].map(found).astype("str")


def settings(chosen: pd.DataFrame) -> list[str]:
    """Return the settings of some rows of `cells`, by growing depth; those of adaptive steps after the others."""
    known = chosen[chosen["setting"] != ""]
    ordered = known.sort_values(["equal", "depth"], ascending=[False, True], kind="stable")
    return list(dict.fromkeys(ordered["setting"]))


def deepest(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of the largest depth that was given, none where none was."""
    given = chosen[chosen["equal"]]
    return given[given["depth"] == given["depth"].max()]


def ratio(chosen: pd.DataFrame, column: str) -> Estimate:
    """Return the median over the cells that ended ok of one of `RATIOS`."""
    return statistics.median(chosen.loc[chosen["status"] == CellStatus.OK, column].to_numpy())


def per_layer(chosen: pd.DataFrame) -> Estimate:
    """Return the factor by which a layer multiplies the gradient with respect to the state: the geometric mean of all."""
    ok = chosen[(chosen["status"] == CellStatus.OK) & (chosen["depth"] > 1)]
    return statistics.median((ok["state_gradient_ratio"] ** (1 / (ok["depth"] - 1))).to_numpy())


def typical(chosen: pd.DataFrame) -> pd.Series:
    """Return, for every ladder and setting, the id of the cell that ended ok with the median ratio, the lower of two."""
    ok = chosen[chosen["status"] == CellStatus.OK].dropna(subset="state_gradient_ratio")
    ordered = ok.sort_values("state_gradient_ratio", kind="stable")
    return ordered.groupby(["ladder", "setting"])["cell_id"].agg(lambda ids: ids.iloc[(len(ids) - 1) // 2])
