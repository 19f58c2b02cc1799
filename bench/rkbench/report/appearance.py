"""How a solver looks in every figure: one color, dash and marker each, the same in all of them.

A ladder of solvers has the color and marker of its method, and the dashes of its variant, such as its engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from rkbench.report import gradients, precision, signals

# Okabe & Ito (2008), told apart with every kind of colour blindness; their yellow and black are left out,
# which vanish on a white or a black page, for a brown, a wine red and a grey. Then the colors come again with other
# dashes.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D46", "#882255", "#808080")
_DASHES = ("", (4, 1.5), (1, 1), (6, 1.5, 1, 1.5), (2, 2), (8, 2))
_MARKERS = "osD^vPX"
_LONGEST = 34


class Look(NamedTuple):
    """How one solver is drawn."""

    color: str
    dashes: Any
    marker: str


def of(solvers: Iterable[str]) -> dict[str, Look]:
    """Return a look for every solver, decided by its place in the run alone."""
    colors, dashes = len(_COLORS), len(_DASHES)
    return {
        solver: Look(
            _COLORS[i % colors], _DASHES[i // colors % dashes], _MARKERS[(i + i // colors) % len(_MARKERS)]
        )
        for i, solver in enumerate(dict.fromkeys(solvers))
    }


def of_ladders(methods: Iterable[str], variants: Iterable[str]) -> dict[tuple[str, str], Look]:
    """Return a look for every method and variant, decided by the places of both in the run.

    Dashes are those of the variant; where there is one alone, they tell apart the methods of one color.
    """
    colors, dashes, told = len(_COLORS), len(_DASHES), list(dict.fromkeys(variants))
    return {
        (method, variant): Look(
            _COLORS[i % colors],
            _DASHES[(j if len(told) > 1 else i // colors) % dashes],
            _MARKERS[(i + i // colors) % len(_MARKERS)],
        )
        for i, method in enumerate(dict.fromkeys(methods))
        for j, variant in enumerate(told)
    }


def of_roads(variants: Iterable[str]) -> dict[str, Look]:
    """Return a look for every road to the gradient: a color, dashes and a marker of its own as far as they go."""
    return {
        variant: Look(_COLORS[i % len(_COLORS)], _DASHES[i % len(_DASHES)], _MARKERS[i % len(_MARKERS)])
        for i, variant in enumerate(dict.fromkeys(variants))
    }


def of_run(cells: pd.DataFrame) -> dict[str, Look]:
    """Return the look of every solver and of every ladder of a run, by its label."""
    solving, differentiated = precision.cells(cells), gradients.cells(cells)
    pairs = of_ladders(solving["method"], solving["variant"])
    named = zip(solving["ladder"], solving["method"], solving["variant"], strict=True)
    roads = of_roads(differentiated["variant"])
    found = of(cells["solver"]) | {ladder: pairs[method, variant] for ladder, method, variant in named}
    found |= dict(zip(differentiated["ladder"], differentiated["variant"].map(roads.get), strict=True))
    return found | of_roads(signals.cells(cells)["ladder"])


def names(solvers: Iterable[str]) -> dict[str, str]:
    """Return the names of solvers for a figure, nothing in them read as mathematics.

    Long ones are cut in the middle; those that would be alike then are cut less, until all differ.
    """
    longest = _LONGEST
    short = {solver: _cut(solver, longest) for solver in solvers}
    while alike := [solver for solver, count in _shared(short).items() if count > 1]:
        longest += 2
        short |= {solver: _cut(solver, longest) for solver in alike}
    return {solver: _escaped(text) for solver, text in short.items()}


def _shared(short: dict[str, str]) -> dict[str, int]:
    """Return how many solvers have the short name of each."""
    counts = Counter(short.values())
    return {solver: counts[text] for solver, text in short.items()}


def _cut(text: str, longest: int) -> str:
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def _escaped(text: str) -> str:
    # A label that starts with an underscore is left out of legends.
    return (" " + text if text.startswith("_") else text).replace("$", r"\$")
