"""How far values scatter from commit to commit while nothing changes, estimated from the series itself.

Commits near each other mostly run equal code, so the median of their differences is noise, whatever steps there are
among them. A machine drifts, and commits further apart differ by more than neighbours: the largest of the medians over
several distances counts. Few commits say little: what they say is mixed with what the other series of the same machine
say, as variances of many small groups are (moderated t-test, Smyth 2004, doi 10.2202/1544-6115.1027), and with a
cautious guess while those are few, too. All is in logarithms, where 0.05 is 5 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

GUESS = {"time": 0.05, "memory": 0.01}
"""Scatter while too little was measured to know it: what processes of one program differ by on a shared machine."""
LEAST = {"time": 0.01, "memory": 0.001}
"""Scatter below which none is believed: equal values of a few commits are luck, or rounding."""

_PRIOR = 4.0
"""Degrees of freedom of what the other series say."""
_WORTH = 0.37
"""Degrees of freedom of one difference: the efficiency of a median deviation, against a variance, of normal numbers."""
_KNOWN = 3
"""Differences from which their median survives one that is a step."""
_SERIES = 5
"""Series from which their median scatter is believed."""
_FAR = 6
"""Distances up to this part of a series are looked at: across them, one step is in a fifth of the differences at most."""
_NORMAL = 0.6745
"""Median of the absolute value of a standard normal number."""


class Noise(NamedTuple):
    """Scatter of one series.

    Attributes:
        scatter: standard deviation of the logarithm of a value, from commit to commit.
        freedom: degrees of freedom of that estimate.
    """

    scatter: float
    freedom: float


def estimate(logs: Sequence[np.ndarray], kind: str) -> list[Noise]:
    """Return the noise of series of one kind on one machine, each of shape [commits], in logarithms."""
    own = [_scatter(one) for one in logs]
    known = [one for one in own if one is not None]
    prior = float(np.median(known)) if len(known) >= _SERIES else GUESS[kind]
    return [_mixed(one, prior, values.size, LEAST[kind]) for one, values in zip(own, logs, strict=True)]


def _scatter(logs: np.ndarray) -> float | None:
    """Return the scatter that differences show; None where they are too few."""
    if logs.size <= _KNOWN:
        return None
    distances = range(1, max(1, logs.size // _FAR) + 1)
    medians = [float(np.median(np.abs(logs[far:] - logs[:-far]))) for far in distances]
    return max(medians) / _NORMAL / np.sqrt(2)


def _mixed(own: float | None, prior: float, values: int, least: float) -> Noise:
    if own is None:
        return Noise(max(prior, least), _PRIOR)
    weight = _WORTH * (values - 1)
    variance = (_PRIOR * prior**2 + weight * own**2) / (_PRIOR + weight)
    return Noise(max(float(np.sqrt(variance)), least), _PRIOR + weight)
