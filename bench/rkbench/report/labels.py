"""Human names of solvers: as short as the cells given allow, and unique among them."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

# A qualifier joins the label only where its values differ. What steers the steps is compared among solvers of
# one kind, adaptive or equal steps: `euler ×10` need not say that its controller is not dopri5's. The options of a
# gradient are compared among the solvers that have it. What an engine does unless it is told otherwise goes unsaid.
_STEERING = ("controller", "norm", "control")
_EVERY_SOLVE = ("engine", "gradient", "dtype", "device", "compiled", "speculative")
_ROADS = ("adjoint_rtol", "adjoint_atol", "seminorm", "checkpoints")
_CIRCUMSTANCES = ("threads", "epochs")
_STEPPING = ("method", "steps", "rtol", "atol")
_TELLING = (*_STEPPING, *_STEERING, *_EVERY_SOLVE, *_ROADS, *_CIRCUMSTANCES, "method_digest")
_SPELLED = {
    "adjoint_atol": lambda value: f"adjoint atol {power_of_ten(value)}",
    "adjoint_rtol": lambda value: f"adjoint rtol {power_of_ten(value)}",
    "atol": lambda value: f"atol {power_of_ten(value)}",
    "checkpoints": lambda value: f"{value} checkpoint{'' if value == 1 else 's'}",
    "compiled": lambda value: "compiled" if value else "",
    "control": lambda value: f"per {value}",
    "epochs": lambda value: f"{value} epoch{'' if value == 1 else 's'}",
    "method_digest": lambda value: f"coefficients {value[:4]}" if value else "",
    "seminorm": lambda value: "seminorm" if value else "full norm",
    "speculative": lambda value: "speculative" if value else "",
    "threads": lambda value: f"{value} thread{'' if value == 1 else 's'}",
}


NO_SOLVER = "no solver"
"""Of a network that solves nothing."""


def solvers(cells: pd.DataFrame, *, circumstances: bool = True) -> pd.Series:
    """Return the solver's label of every cell, such as ``rk4 ×10`` or ``dopri5 @ 1e-3``.

    ``circumstances`` tells solvers apart by what is around them too: threads, epochs, coefficients edited meanwhile.
    """
    kinds, kind = _kinds(_without_epochs_of_tasks(cells))
    told = _told(kinds, circumstances)
    labels = [" · ".join([_stepping(row), *told[index]]) for index, row in kinds.iterrows()]
    return _spread(labels, kind)


def variants(cells: pd.DataFrame) -> pd.Series:
    """Return what tells apart the solvers of one method, besides how finely they step; empty where nothing does.

    Cells of one method and one variant are the rungs of a ladder of steps or tolerances.
    """
    kinds, kind = _kinds(_without_epochs_of_tasks(cells))
    told = _told(kinds, circumstances=True)
    both = kinds["steps"].isna().groupby(kinds["method"]).transform("nunique") > 1
    equal = both & kinds["steps"].notna()
    return _spread(
        [" · ".join(["equal steps"] * bool(equal[index]) + told[index]) for index in kinds.index], kind
    )


def _without_epochs_of_tasks(cells: pd.DataFrame) -> pd.DataFrame:
    """Return cells with no epochs to tell where these are the task's, and tell no two solvers of it apart."""
    if (cells.groupby("task")["epochs"].nunique() > 1).any():
        return cells
    return cells.assign(epochs=0)


def _kinds(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the first cell of every kind that labels may tell apart, and the place of each cell's kind among these."""
    kind = cells.groupby(list(_TELLING), sort=False, dropna=False).ngroup()
    return cells[~kind.duplicated()], kind


def _spread(labels: list[str], kind: pd.Series) -> pd.Series:
    """Return the label of every cell, given those of the kinds."""
    return pd.Series(labels, dtype="str").reindex(kind).set_axis(kind.index)


def _told(cells: pd.DataFrame, circumstances: bool) -> dict[Hashable, list[str]]:
    """Return, for every cell, its values of the qualifiers that differ, in words."""
    told: dict[Hashable, list[str]] = {index: [] for index in cells.index}
    cells = cells[cells["method"] != ""]
    telling = (*_EVERY_SOLVE, *_CIRCUMSTANCES) if circumstances else _EVERY_SOLVE
    shared = [name for name in telling if cells[name].nunique() > 1]
    shared += [
        name
        for name in _ROADS
        if (cells.groupby(["gradient", cells["steps"].isna()])[name].nunique(dropna=False) > 1).any()
    ]
    cells = cells.assign(gradient=_unsaid(cells))
    for _, kind in cells.groupby(cells["steps"].isna()):
        qualifiers = _steering(kind) + shared
        for _, same in kind.groupby("method"):
            digests = set(same["method_digest"]) - {""}
            edited = ["method_digest"] if circumstances and len(digests) > 1 else []
            told |= {index: _words(row, qualifiers + edited) for index, row in same.iterrows()}
    return told


def _unsaid(cells: pd.DataFrame) -> pd.Series:
    """Return the gradient of every cell, missing where it is backprop and the engine runs no other."""
    alone = cells.groupby("engine")["gradient"].transform("nunique") == 1
    return cells["gradient"].mask(alone & (cells["gradient"] == "backprop"))


def power_of_ten(value: float) -> str:
    """Return a tolerance as it is spoken of: ``1e-3``, ``2.5e-4``, ``0``."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.15e}".split("e")
    short = f"{float(mantissa):g}e{int(exponent)}"
    return short if float(short) == value else repr(value)


def _steering(kind: pd.DataFrame) -> list[str]:
    names = [name for name in _STEERING if kind[name].nunique() > 1]
    # An atol that follows from the rtol, as 1e-3 times it, tells nothing new.
    free = kind["atol"].nunique() > 1 and (kind.groupby("rtol", dropna=False)["atol"].nunique() > 1).any()
    return ["atol", *names] if free else names


def _stepping(row: pd.Series) -> str:
    if not row["method"]:
        return NO_SOLVER
    if pd.notna(row["steps"]):
        return f"{row['method']} ×{row['steps']}"
    return f"{row['method']} @ {power_of_ten(row['rtol'])}" if pd.notna(row["rtol"]) else row["method"]


def _words(row: pd.Series, qualifiers: list[str]) -> list[str]:
    said = [_SPELLED.get(name, str)(row[name]) for name in qualifiers if pd.notna(row[name])]
    return [word for word in said if word]
