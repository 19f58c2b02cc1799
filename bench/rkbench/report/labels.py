"""Human names of solvers: as short as the cells given allow, and unique among them."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

# A qualifier joins the label only where its values differ. What steers the steps is compared among solvers of
# one kind, adaptive or equal steps: `euler ×10` need not say that its controller is not dopri5's.
_STEERING = ("controller", "norm", "control")
_EVERY_SOLVE = ("engine", "gradient", "dtype", "device", "compiled")
_CIRCUMSTANCES = ("threads", "epochs")
_SPELLED = {
    "atol": lambda value: f"atol {power_of_ten(value)}",
    "compiled": lambda value: "compiled" if value else "eager",
    "epochs": lambda value: f"{value} epoch{'' if value == 1 else 's'}",
    "method_digest": lambda value: f"coefficients {value[:4]}" if value else "",
    "threads": lambda value: f"{value} thread{'' if value == 1 else 's'}",
}


def solvers(cells: pd.DataFrame, *, circumstances: bool = True) -> pd.Series:
    """Return the solver's label of every cell, such as ``rk4 ×10`` or ``dopri5 @ 1e-3``.

    ``circumstances`` tells solvers apart by what is around them too: threads, epochs, coefficients edited meanwhile.
    """
    labels: dict[Hashable, str] = {}
    telling = (*_EVERY_SOLVE, *_CIRCUMSTANCES) if circumstances else _EVERY_SOLVE
    shared = [name for name in telling if cells[name].nunique() > 1]
    for _, kind in cells.groupby(cells["steps"].isna()):
        qualifiers = _steering(kind) + shared
        for _, same in kind.groupby("method"):
            digests = set(same["method_digest"]) - {""}
            edited = ["method_digest"] if circumstances and len(digests) > 1 else []
            labels |= {index: _label(row, qualifiers + edited) for index, row in same.iterrows()}
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
