"""Is there a difference at all: exact tests on pairs, which assume no distribution.

Where two solvers do not differ, the labels of a pair could as well have been exchanged, each with probability one half,
which flips the sign of its difference. The p-value is the share of all flips that give as large a sum (Fisher, The
Design of Experiments, 1935, section 21; Good, Permutation Tests, 2000, doi 10.1007/978-1-4757-3235-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

EXACT = 16
"""Pairs up to which all flips are counted; beyond, some are drawn."""

_DRAWS = 19_999
_SEED = 20_240_601
_ROUNDING = 1e-9  # relative: sums of the same numbers in another order


def sign_flip(differences: Sequence[float] | np.ndarray) -> float:
    """Return the two-sided p-value of the sum of paired differences, shape [pairs]; 1 without a pair.

    NaN is left out; an infinite difference counts as more than all finite ones together. Above `EXACT` pairs, 19 999
    flips are drawn by a seeded generator and the observed one is counted among them, which keeps the level (Phipson &
    Smyth 2010, doi 10.2202/1544-6115.1585).
    """
    known = _finite(np.asarray(differences, dtype=float))
    if known.size == 0:
        return 1.0
    least = abs(float(known.sum())) * (1 - _ROUNDING)
    if known.size <= EXACT:
        return float(np.mean(np.abs(_flipped(known)) >= least))
    return float((1 + np.sum(np.abs(_signs(known.size) @ known) >= least)) / (1 + _DRAWS))


def wilcoxon(differences: Sequence[float] | np.ndarray) -> float:
    """Return the two-sided p-value of the signed ranks of paired differences, shape [pairs]; 1 without a pair.

    A difference that is large because one cell was disturbed counts by its rank only. Ties share their ranks, and zeros
    are ranked but have no sign (Wilcoxon 1945, doi 10.2307/3001968; Pratt 1959, doi 10.1080/01621459.1959.10501526);
    the p-value stays exact with either, since the ranks at hand are the ones whose signs are flipped.
    """
    known = np.asarray(differences, dtype=float)
    known = known[~np.isnan(known)]
    _, place, alike = np.unique(np.abs(known), return_inverse=True, return_counts=True)
    twice = (2 * np.cumsum(alike) - (alike - 1))[place]  # ranks, twice, so that shared ones are whole
    signed = np.sign(known).astype(int) * twice
    if known.size <= EXACT:
        return sign_flip(signed)
    tail = _tails(tuple(sorted(np.abs(signed[signed != 0]).tolist())))
    return float(tail[abs(int(signed.sum()))])


def _finite(differences: np.ndarray) -> np.ndarray:
    known = differences[~np.isnan(differences)]
    infinite = np.isinf(known)
    most = 2 * np.abs(known[~infinite]).sum() + 1
    return np.where(infinite, np.sign(known) * most, known)


def _flipped(values: np.ndarray) -> np.ndarray:
    """Return the sums with all signs of all values but the first, whose flip mirrors them."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


@lru_cache(maxsize=256)
def _tails(numbers: tuple[int, ...]) -> np.ndarray:
    """Return, for each s from 0 to the sum of all numbers, the share of flips whose sum is s or more, or -s or less."""
    total = sum(numbers)
    share = np.zeros(total + 1)  # of the flips whose positive numbers have the sum that is the index
    share[0] = 1.0
    for number in numbers:
        moved = share[:-number] / 2
        share /= 2
        share[number:] += moved
    sums = np.abs(2 * np.arange(total + 1) - total)
    return np.bincount(sums, share, total + 1)[::-1].cumsum()[::-1]


@lru_cache(maxsize=8)
def _signs(n: int) -> np.ndarray:
    """Return draws of signs, shape [draws, n]."""
    return np.random.default_rng(_SEED).choice((-1.0, 1.0), size=(_DRAWS, n))
