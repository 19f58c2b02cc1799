"""Human names of solvers: as short as the cells given allow, and unique among them."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

# A qualifier joins the label only where its values differ. What steers the steps is compared among solvers of
# one kind, adaptive or equal steps: `euler ×10` need not say that its controller is not dopri5's.
_STEERING = ("controller", "norm", "control")
_EVERY_SOLVE = ("engine", "gradient", "dtype", "device", "compiled", "threads")
_SPELLED = {
    "atol": lambda value: f"atol {power_of_ten(value)}",
    "compiled": lambda value: "compiled" if value else "eager",
    "threads": lambda value: f"{value} thread{'' if value == 1 else 's'}",
}


def solvers(cells: pd.DataFrame) -> pd.Series:
    """Return the solver's label of every cell, such as ``rk4 ×10`` or ``dopri5 @ 1e-3``."""
    labels: dict[Hashable, str] = {}
    shared = [name for name in _EVERY_SOLVE if cells[name].nunique() > 1]
    for _, kind in cells.groupby(cells["steps"].isna()):
        qualifiers = _steering(kind) + shared
        labels |= {index: _label(row, qualifiers) for index, row in kind.iterrows()}
    return pd.Series(labels, cells.index, dtype="str")


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


def _label(row: pd.Series, qualifiers: list[str]) -> str:
    label = row["method"]
    if pd.notna(row["steps"]):
        label += f" ×{row['steps']}"
    elif pd.notna(row["rtol"]):
        label += f" @ {power_of_ten(row['rtol'])}"
    said = [_SPELLED.get(name, str)(row[name]) for name in qualifiers if pd.notna(row[name])]
    return " · ".join([label, *(word for word in said if word)])
