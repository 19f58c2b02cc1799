"""Performance profiles: how often a solver is within a factor of the best, failures included.

Dolan & Moré 2002, doi 10.1007/s101070100263. The ranking among solvers that are not best depends on which others are in
the set (Gould & Scott 2016, doi 10.1145/2950048): to compare two of them, give these two alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Profile(NamedTuple):
    """Steps that hold until the next factor.

    Attributes:
        factors: cost over the best solver's, ascending from 1; shape [factors].
        shares: share of all problems that each solver solves within a factor; shape [factors, solvers].
    """

    factors: np.ndarray
    shares: np.ndarray


def performance_profile(costs: Sequence[Sequence[float]] | np.ndarray) -> Profile:
    """Return the profile of costs, shape [problems, solvers]; infinity or NaN is a failure, infinitely costly.

    A problem that nobody solved counts in every denominator. The factors are those at which a share changes.

    Raises:
        ValueError: a cost is not positive, or costs do not form a table.
    """
    table = np.asarray(costs, dtype=float)
    if table.ndim != 2 or (table <= 0).any():
        raise ValueError("give positive costs, one row per problem and one column per solver")
    table = np.where(np.isnan(table), np.inf, table)
    best = table.min(axis=1, keepdims=True, initial=np.inf)
    ratios = np.where(np.isinf(table), np.inf, table / np.where(np.isinf(best), 1, best))
    factors = np.unique(np.append(ratios[np.isfinite(ratios)], 1.0))
    within = [np.searchsorted(np.sort(solver), factors, side="right") for solver in ratios.T]
    shares = np.stack(within, axis=1) if within else np.empty((factors.size, 0))
    return Profile(factors, shares / max(1, len(table)))
