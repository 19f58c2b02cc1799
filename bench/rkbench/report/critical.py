"""The critical step size: the largest one with which a method still trains an ODE's network, bracketed by what was run.

Trained with larger steps, a network learns them (Ott et al. 2021, arXiv:2007.15386).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rkbench.report import numbers

FEWEST = 3
"""Numbers of steps of one method without which nothing is said."""


class Ladder(NamedTuple):
    """The networks of one method, by the number of equal steps that they were trained with.

    Attributes:
        name: of the method, and what tells it apart.
        kept: numbers of steps that trained an ODE's network, by size.
        lost: those that did not.
    """

    name: str
    kept: tuple[int, ...]
    lost: tuple[int, ...]


def sentences(ladders: Sequence[Ladder]) -> list[str]:
    """Return where the critical step size of each method lies, methods of which the same holds in one sentence."""
    said: dict[str, list[str]] = {}
    for ladder in ladders:
        said.setdefault(_bracket(ladder), []).append(ladder.name)
    return [f"{numbers.listed(names)}: {text}." for text, names in said.items()]


def _bracket(ladder: Ladder) -> str:
    kept, lost = ladder.kept, ladder.lost
    if not lost:
        return (
            f"an ODE's network with every number of steps tried, {_from_to(kept)}: critical step size not below "
            f"{_size(kept[0])}"
        )
    if not kept:
        return (
            f"an ODE's network with no number of steps tried, {_from_to(lost)}: critical step size below "
            f"{_size(lost[-1])}"
        )
    if kept[0] > lost[-1]:
        return (
            f"an ODE's network from {_steps(kept[0])} on, not with {lost[-1]}: critical step size between "
            f"{_size(kept[0])} and {_size(lost[-1])}"
        )
    return f"an ODE's network with {_listed(kept)} steps, not with {_listed(lost)}: no critical step size"


def _from_to(counts: tuple[int, ...]) -> str:
    return f"from {counts[0]} to {counts[-1]}"


def _steps(count: int) -> str:
    return numbers.counted(count, "step")


def _listed(counts: tuple[int, ...]) -> str:
    return numbers.listed([str(count) for count in counts])


def _size(steps: int) -> str:
    """Return the size of equal steps, as a share of the interval that they cross."""
    return "1" if steps == 1 else f"1/{steps}"
