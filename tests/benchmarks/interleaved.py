"""Times of several ways to do one thing, taken in turn, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

import numpy as np

BLOCK = 4
"""Calls in a row that are timed together, after one that is not: nobody runs on caches that another filled."""


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 5
) -> dict[str, list[float]]:
    """Return the seconds of one call, per contender and round; each round has them in an order of its own."""
    names, order = list(contenders), random.Random(0)
    for name in names:
        for _ in range(warm_up):
            contenders[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in order.sample(names, len(names)):
            seconds[name].append(_block(contenders[name]))
    return seconds


def _block(work: Callable[[], object]) -> float:
    work()
    start = time.perf_counter()
    for _ in range(BLOCK):
        work()
    return (time.perf_counter() - start) / BLOCK


def ratio(
    over: list[float], under: list[float], empty: list[float] | None = None
) -> tuple[float, float, float]:
    """Return the median over rounds of over/under, and its quartiles; times less those of an empty step, if given."""
    rest = np.zeros(len(over)) if empty is None else np.full(len(over), np.median(empty))
    low, middle, high = np.percentile((np.asarray(over) - rest) / (np.asarray(under) - rest), [25, 50, 75])
    return float(middle), float(low), float(high)
