"""Which solvers no other beats in both cost and score (Pareto 1896)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pareto_front(costs: Sequence[float] | np.ndarray, scores: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return which points lie on the front, as booleans of shape [points].

    A point is off it when another has at most its cost and at least its score, and is better in one of them; equal
    points stand or fall together. A point with a NaN or an infinity is off it.

    Args:
        costs: the lower the better; shape [points].
        scores: the higher the better; same shape.
    """
    cost, score = np.asarray(costs, dtype=float), np.asarray(scores, dtype=float)
    known = np.flatnonzero(np.isfinite(cost) & np.isfinite(score))
    order = known[np.lexsort((-score[known], cost[known]))]
    # By growing cost, the best of equal costs first: a point stays when it beats all before it, and so do its equals.
    before = np.maximum.accumulate(np.append(-np.inf, score[order]))[:-1]
    kept = {(cost[i], score[i]) for i in order[score[order] > before]}
    return np.array([point in kept for point in zip(cost, score, strict=True)], dtype=bool)
