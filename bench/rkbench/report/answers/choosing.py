"""Each side of a question at its best, without the bias of choosing after the fact.

The cheapest of several settings on a seed is cheaper than any of them is on others, the more so the more there are. So
the setting of a seed is chosen by its median over the other seeds, and then pays what it costs on this one (leave one
out: Stone 1974, doi 10.1111/j.2517-6161.1974.tb00994.x).
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd


class Chosen(NamedTuple):
    """What a side costs, row by row.

    Attributes:
        costs: of the chosen setting; NaN where none could be chosen.
        settings: which it is; empty where none could be chosen.
    """

    costs: pd.Series
    settings: pd.Series

    @property
    def usual(self) -> str:
        """The setting chosen most often, with how often where that is not always."""
        counts = Counter(name for name in self.settings if name)
        if not counts:
            return ""
        name, number = counts.most_common(1)[0]
        return name if len(counts) == 1 else f"{name} (mostly)"


def held_out(table: pd.DataFrame) -> Chosen:
    """Return the costs of the settings chosen by the other seeds.

    Args:
        table: costs of rows, which are seeds and machines, × settings; infinity was not reached, NaN not measured. Only
            rows of one machine choose for each other.
    """
    return _chosen(table, holding_out=True)


def fixed(table: pd.DataFrame) -> Chosen:
    """Return the costs of the one setting that is best over all seeds of a machine, its own included."""
    return _chosen(table, holding_out=False)


def _chosen(table: pd.DataFrame, *, holding_out: bool) -> Chosen:
    names = [str(name) for name in table.columns]
    values = table.to_numpy(dtype=float)
    hosts = table.index.get_level_values("host").to_numpy(dtype=object)
    settings = []
    for row, host in enumerate(hosts):
        others = np.flatnonzero(hosts == host)
        others = others[others != row] if holding_out and len(names) > 1 else others
        settings.append(_best(values[others], np.flatnonzero(~np.isnan(values[row]))))
    costs = [math.nan if place is None else values[row, place] for row, place in enumerate(settings)]
    labels = ["" if place is None else names[place] for place in settings]
    return Chosen(pd.Series(costs, table.index, dtype=float), pd.Series(labels, table.index, dtype=object))


def _best(values: np.ndarray, candidates: np.ndarray) -> int | None:
    """Return which of the candidates is best on some rows, the first of those that are alike; None without any.

    Settings are ordered by their median, then by how often they failed, then by the median where they did not.
    """
    if not len(values):
        return None
    ordered = np.sort(values[:, candidates], axis=0)
    known, reached = (~np.isnan(ordered)).sum(axis=0), np.isfinite(ordered).sum(axis=0)
    lost = 1 - reached / np.maximum(known, 1)
    order = np.lexsort((_middle(ordered, reached), lost, _middle(ordered, known)))
    best = next((place for place in order if known[place]), None)
    return None if best is None else int(candidates[best])


def _middle(ordered: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the medians of the first so many numbers of each column; infinity of none."""
    columns = np.arange(ordered.shape[1])
    low, high = (ordered[np.maximum(counts - 1 + more, 0) // 2, columns] for more in (0, 1))
    return np.where(counts > 0, (low + high) / 2, np.inf)
