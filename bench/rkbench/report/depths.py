"""Trained networks of growing depth: what their memory and time grow like.

The depth N of an ODE-net is its number of equal steps, that of a residual network its number of blocks, where the name of
its task tells it. A ladder is the networks that differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import families, growth, labels, numbers, statistics
from rkbench.report.growth import Growth

STEP, BLOCK = "step", "block"
"""What a depth is counted in."""

MEASURES = {"memory": ("The memory of a training step", "MiB"), "seconds": ("The time of an epoch", "s")}
"""Column of `rungs` -> what it is, in words, and its unit."""

_KEYS = ["family", "ladder", "unit", "depth"]


def cells(all_cells: pd.DataFrame) -> pd.DataFrame:
    """Return the training cells whose depth is known.

    They have ``family``, the task without its depth; ``ladder``, method and variant in words, empty for a network that
    solves nothing; ``depth``; and ``unit``, `STEP` or `BLOCK`.
    """
    trained = all_cells[all_cells["experiment"] == "training"]
    return pd.concat([_by_steps(trained), _by_blocks(trained)])


def _by_steps(trained: pd.DataFrame) -> pd.DataFrame:
    chosen = trained[(trained["method"] != "") & trained["steps"].notna()]
    told = labels.variants(chosen)
    ladder = chosen["method"].where(told == "", chosen["method"] + " · " + told)
    return chosen.assign(
        family=chosen["task"], ladder=ladder.astype("str"), depth=chosen["steps"].astype("float64"), unit=STEP
    )


def _by_blocks(trained: pd.DataFrame) -> pd.DataFrame:
    found = {task: families.blocks(task) for task in trained["task"].unique()}
    known = {task: deep for task, deep in found.items() if deep is not None}
    chosen = trained[(trained["method"] == "") & trained["task"].isin(known)]
    return chosen.assign(
        family=chosen["task"].map({task: family for task, (family, _) in known.items()}).astype("str"),
        ladder="",
        depth=chosen["task"].map({task: depth for task, (_, depth) in known.items()}).astype("float64"),
        unit=BLOCK,
    )


def rungs(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return one row per family, ladder and depth with a cell that ended ok, by growing depth: medians over seeds.

    Args:
        chosen: rows of `cells`.

    Returns:
        family, ladder, unit and depth; memory (MiB) and seconds (of one epoch, of cells that ran alone), each with the
        ends of its interval in ``memory_low``, ``memory_high`` and so on.
    """
    ok, rows = chosen[chosen["status"] == CellStatus.OK], []
    # Rows of a few columns are selected in a fraction of the time.
    told = ok[[*_KEYS, "timing_valid", "epoch_seconds", "step_memory_mb"]]
    for keys, one in told.groupby(_KEYS, sort=False):
        timed = one.loc[one["timing_valid"], "epoch_seconds"]
        found = [statistics.median(values.to_numpy()) for values in (one["step_memory_mb"], timed)]
        rows.append((*keys, *found[0], *found[1]))
    spread = [f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=[*_KEYS, *spread]).sort_values("depth", kind="stable")


def ladders(found: pd.DataFrame, column: str, fewest: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the ladders with a measure at so many depths or more, each with its name among those given.

    Args:
        found: rows of `rungs`.
        column: one of `MEASURES`.
        fewest: depths.
    """
    known = found.dropna(subset=column)
    names = families.short(found["family"])
    several = len(names) > 1
    for (family, ladder, _), one in known.groupby(["family", "ladder", "unit"], sort=False):
        if one["depth"].nunique() >= fewest:
            yield (
                " · ".join([names[str(family)]] * (several or not ladder) + [str(ladder)] * bool(ladder)),
                one,
            )


def law(ladder: pd.DataFrame, column: str) -> Growth:
    """Return how a measure of a ladder, rows of `rungs`, grows with its depth."""
    return growth.fit(ladder["depth"].to_numpy(), ladder[column].to_numpy())


def sentences(found: pd.DataFrame) -> list[str]:
    """Return how memory and time of `rungs` grow, ladders of one law in one sentence; nothing for too few depths."""
    said: dict[tuple[str, str, tuple[str, ...]], dict[str, Growth]] = {}
    for column in MEASURES:
        for name, ladder in ladders(found, column, growth.FEWEST):
            grown, unit = law(ladder, column), str(ladder["unit"].iloc[0])
            laws = tuple(
                sorted(grown.laws, key=list(growth.LAWS).index) if len(grown.laws) > 1 else grown.laws
            )
            said.setdefault((column, unit, laws), {})[name] = grown
    return [_sentence(*key, _listed(grown, *key)) for key, grown in said.items()]


_NAMED = 8
"""Ladders that a sentence names one by one."""


def _listed(grown: dict[str, Growth], column: str, unit: str, laws: tuple[str, ...]) -> str:
    """Return ladders of one law with what it adds or what they stay at, or the range of these where they are many."""
    measured = MEASURES[column][1]
    if len(laws) != 1:
        return numbers.listed(list(grown)) if len(grown) <= _NAMED else numbers.counted(len(grown), "solver")
    constant = laws[0] == growth.CONSTANT
    per = "" if constant else f" per {unit if laws[0] == 'N' else laws[0]}"
    if len(grown) > _NAMED:
        sizes = [one.base if constant else one.slope for one in grown.values()]
        least, most = map(numbers.significant, (min(sizes), max(sizes)))
        return f"{least} to {most} {measured}{per} for {numbers.counted(len(grown), 'solver')}"
    terms = [
        f"{numbers.significant(one.base)} {measured} for {name}"
        if constant
        else f"{_slope(one, measured)}{per} for {name}"
        for name, one in grown.items()
    ]
    return numbers.listed(terms)


def _slope(grown: Growth, measured: str) -> str:
    spread = numbers.interval(numbers.significant, grown.slope, grown.low, grown.high)
    return f"{numbers.significant(grown.slope)} {measured}{f' [{spread}]' if spread else ''}"


def _sentence(column: str, unit: str, laws: tuple[str, ...], listed: str) -> str:
    what = MEASURES[column][0]
    if len(laws) == 0:
        known = numbers.listed([growth.CONSTANT, *growth.LAWS])
        return f"{what} follows none of the laws {known}, N the number of {unit}s, for {listed}."
    if len(laws) > 1:
        return f"{what} grows like {' or '.join(laws)}, N the number of {unit}s, which the numbers cannot tell, for {listed}."
    if laws[0] == growth.CONSTANT:
        return (
            f"{what} is the same at every number of {unit}s, to within {100 * growth.FLAT:.0f} %: {listed}."
        )
    n = "the" if laws[0] == "N" else "N the"
    return f"{what} grows like {laws[0]}, {n} number of {unit}s: {listed}."
