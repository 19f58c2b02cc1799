"""Where each road to the gradient wins, in sentences that the numbers bear out.

Two times differ when the interval of their ratio, paired by seed, leaves out 1 and whatever one solver differs by from
itself under a second label; else they are not told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import gradients, labels, numbers, statistics
from rkbench.report.gradients import Cost
from rkbench.report.statistics import Estimate

_ROUND_OFF = 1e3
"""Gradients are equal but for round-off when they differ by no more than so many units of it."""


def depth(task: pd.DataFrame, rungs: pd.DataFrame, apart: float = 1.0) -> list[str]:
    """Return, for every method and kind of steps, the ladder that is leanest at the finest setting, and its price.

    Args:
        task: rows of `gradients.cells` of one task.
        rungs: their `gradients.rungs`.
        apart: factor within which times are not told apart, see `gradients.resolution`.
    """
    found = []
    for _, kind in rungs.dropna(subset="memory").groupby(["method", "equal"], sort=False):
        last = kind[kind["setting"] == kind["setting"].iloc[-1]]
        if last["memory"].nunique() > 1:
            found.append(_leanest(task, last.sort_values("memory", kind="stable"), apart))
    return found


def _leanest(task: pd.DataFrame, last: pd.DataFrame, apart: float) -> str:
    lean, heavy = last.iloc[0], last.iloc[-1]
    text = (
        f"At {lean['setting']}, {lean['ladder']} is leanest, with {numbers.significant(lean['memory'])} MiB"
    )
    text += f" where {heavy['ladder']} has {numbers.significant(heavy['memory'])} MiB"
    price = gradients.time_ratio(task, last.iloc[:1])
    plain = gradients.beside(task, gradients.finest(task, last.iloc[:1]))["ladder"]
    if math.isnan(price.low) or lean["ladder"] in set(plain):
        return f"{text}."
    if price.low <= apart and price.high >= 1 / apart:
        return f"{text}; its time is not distinguishable from that of backprop."
    return f"{text}; it takes {_spelt(price, numbers.significant)} times as long as backprop."


def sentences(task: pd.DataFrame, costs: dict[str, dict[float, Cost]], apart: float = 1.0) -> list[str]:
    """Return where the ladders of one task win, at every error, and how far the inexact ones are off.

    Args:
        task: rows of `gradients.cells`.
        costs: what each ladder pays, see `gradients.costs`.
        apart: as in `depth`.
    """
    found = [
        _at(level, {ladder: paid[level] for ladder, paid in costs.items()}, apart)
        for level in gradients.LEVELS
    ]
    return [*found, *_exact(task), *_inexact(task)]


def front(costs: dict[str, Cost], apart: float = 1.0) -> list[str]:
    """Return the ladders that no other beats in time and memory both, from fast to slow.

    One that is beaten within the uncertainty of its time alone stays.
    """
    known = {ladder: cost for ladder, cost in costs.items() if not math.isnan(_mib(cost))}
    beaten = {b for a in known for b in known if a != b and _beats(known[a], known[b], apart)}
    return sorted(known.keys() - beaten, key=lambda ladder: (_time(known[ladder]).median, ladder))


def _beats(one: Cost, other: Cost, apart: float) -> bool:
    lean, heavy = _mib(one), _mib(other)
    if lean < heavy and _time(one).median <= _time(other).median:
        return True
    return lean <= heavy and gradients.ratio(other, one).low > apart


def _at(level: float, costs: dict[str, Cost], apart: float) -> str:
    """Return who wins at one error."""
    words = f"At a gradient error of {labels.power_of_ten(level)}"
    reached = {ladder: cost for ladder, cost in costs.items() if cost.reached and not cost.bound}
    said = [f"{words}, {_winners(reached, apart)}" if reached else f"{words} there is nothing to compare."]
    for names, why in (
        ([ladder for ladder, cost in costs.items() if not cost.reached], "Not reached with every seed by"),
        ([ladder for ladder, cost in costs.items() if cost.bound], "Left out, since more accurate at the coarsest setting:"),
    ):  # fmt: skip
        said += [f"{why} {numbers.listed(names)}."] * bool(names)
    return " ".join(said)


def _winners(costs: dict[str, Cost], apart: float) -> str:
    timed = {ladder: cost for ladder, cost in costs.items() if cost.timed}
    known = [ladder for ladder in costs if not math.isnan(_mib(costs[ladder]))]
    leanest = min(known, key=lambda ladder: _mib(costs[ladder]), default=None)
    lean = f"{leanest} is leanest, with {_mebibytes(costs[leanest])}" if leanest else ""
    if not timed:
        return f"{lean}; no times may be compared." if lean else "no times may be compared."
    fastest = min(timed, key=lambda ladder: _time(timed[ladder]).median)
    time = f"{fastest} is fastest, with {_spelt(_time(timed[fastest]), _milliseconds)} ms"
    if len(timed[fastest].seconds) < 2:
        return f"{time}, on one seed, which tells no times apart{f'; {lean}' if lean else ''}."
    return _ranked(timed, time, lean, fastest, leanest, apart)


def _ranked(
    timed: dict[str, Cost], time: str, lean: str, fastest: str, leanest: str | None, apart: float
) -> str:
    """Return the sentences about times with intervals, and what memory is had for how much of it."""
    longer = {ladder: gradients.ratio(cost, timed[fastest]) for ladder, cost in timed.items()}
    price = {ladder: f"{_spelt(longer[ladder], numbers.significant)} times as long" for ladder in timed}
    alike = [ladder for ladder in timed if ladder != fastest and not longer[ladder].low > apart]
    text = time
    if alike:
        text += f", not distinguishable from {numbers.listed([f'{one} ({price[one]})' for one in alike])}"
    if leanest == fastest:
        return f"{text}, and leanest, with {_mebibytes(timed[fastest])}."
    text += f"; {lean}" if lean else ""
    text += f", and takes {price[leanest]}" if leanest in price else ""
    between = [ladder for ladder in front(timed, apart) if ladder not in (fastest, leanest)]
    told = [f"{one} ({_mebibytes(timed[one])}, {price[one]})" for one in between]
    return (
        f"{text}. Beaten by none in time and memory both, too: {numbers.listed(told)}."
        if told
        else f"{text}."
    )


def _exact(task: pd.DataFrame) -> list[str]:
    """Return which ladders give the gradient of what was computed; backprop is that, and left out."""
    worst = _off(task)
    exact = worst[worst <= _limit(task)]
    if exact.empty:
        return []
    names = numbers.listed([str(name) for name in exact.index])
    how = (
        f"to round-off (off by {numbers.error(exact.max())} at most)"
        if exact.max() > 0
        else "to the last bit"
    )
    return [f"The gradient of what was computed, {how}: {names}."]


def _inexact(task: pd.DataFrame) -> list[str]:
    """Return how far the other ladders are off it, and what that does to the error of the gradient."""
    worst = _off(task)
    return [_distance(task, str(name)) for name in worst.index[worst > _limit(task)]]


def _off(task: pd.DataFrame) -> pd.Series:
    """Return the largest distance from the gradient of the same solve, by ladder."""
    ok = task[(task["status"] == CellStatus.OK) & (task["gradient"] != gradients.DISCRETE)]
    return ok.groupby("ladder", sort=False)["discrete_gradient_error"].max().dropna()


def _limit(task: pd.DataFrame) -> float:
    return _ROUND_OFF * float(max(np.finfo(name).eps for name in set(task["dtype"])))


def _distance(task: pd.DataFrame, name: str) -> str:
    ladder = task[(task["ladder"] == name) & (task["status"] == CellStatus.OK)]
    rungs = gradients.rungs(ladder)
    ends = [
        f"{numbers.error(float(rung['discrete']))} at {rung['setting']}"
        for _, rung in rungs.iloc[[0, -1]].iterrows()
    ]
    text = f"{name} is off the gradient of its own solve by {' and '.join(dict.fromkeys(ends))}"
    ratios = {setting: _beside(task, cells) for setting, cells in ladder.groupby("setting", sort=False)}
    ratios = {setting: one for setting, one in ratios.items() if one.median > 0}
    if not ratios:
        return f"{text}."
    setting = max(ratios, key=lambda one: abs(np.log(ratios[one].median)))
    if ratios[setting].low <= 1 <= ratios[setting].high:
        return f"{text}; its error is not distinguishable from that of backprop."
    times = _spelt(ratios[setting], numbers.significant)
    return f"{text}; its error is {times} times that of backprop at {setting}, where they differ most."


def _beside(task: pd.DataFrame, cells: pd.DataFrame) -> Estimate:
    """Return the error of some cells, all alike, over that of backprop at the same setting, paired by seed."""
    other = gradients.beside(task, cells)
    pairs = cells.merge(other[other["status"] == CellStatus.OK], on="seed", suffixes=("", "_backprop"))
    return statistics.ratio(pairs["gradient_error"].to_numpy(), pairs["gradient_error_backprop"].to_numpy())


def _time(cost: Cost) -> Estimate:
    return statistics.median(list(cost.seconds.values()))


def _mib(cost: Cost) -> float:
    """Return the median over seeds, NaN where it is not known for all."""
    return float(np.median(list(cost.memory.values())))


def _mebibytes(cost: Cost) -> str:
    return f"{_spelt(statistics.median(list(cost.memory.values())), numbers.significant)} MiB"


def _milliseconds(value: float) -> str:
    return numbers.significant(1000 * value)


def _spelt(found: Estimate, spell: Callable[[float], str]) -> str:
    interval = numbers.interval(spell, *found)
    return f"{spell(found.median)} [{interval}]" if interval else spell(found.median)
