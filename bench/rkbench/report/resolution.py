"""What a run can tell apart: the baseline against itself, under two labels that ran interleaved with everything else.

Whatever these two differ in is the machine's doing, and no solver may be said to differ by less (an A/A test: Kohavi,
Tang & Xu, Trustworthy Online Controlled Experiments, 2020, chapter 19, doi 10.1017/9781108653985).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from rkbench.report import pairing, scores, statistics

FEWEST_PAIRS = 5
"""Pairs without which nothing is said: the interval of fewer covers less than nine in ten (`statistics.coverage`)."""


def resolution(cells: pd.DataFrame, replicas: pd.DataFrame, task: str) -> float | None:
    """Return the smallest ratio of times that a run may claim on a task, such as 1.031 for 3.1 %.

    It is the end farther from 1 of the interval of the ratios of the two labels, paired by seed and machine; None with
    fewer than `FEWEST_PAIRS` pairs of cells that ended ok and ran alone.

    Args:
        cells: the frame of `Results.cells`.
        replicas: the frame of `Results.replicas`.
        task: name of the task.
    """
    farthest = _farthest(log_ratios(cells, replicas, task))
    return None if farthest is None else math.exp(farthest)


def log_ratios(cells: pd.DataFrame, replicas: pd.DataFrame, task: str) -> np.ndarray:
    """Return the logarithms of the ratios of the times of the two labels, shape [pairs]."""
    return _differences(*(pairing.log_times(one[one["task"] == task]) for one in (cells, replicas)))


def score_resolution(cells: pd.DataFrame, replicas: pd.DataFrame, task: str) -> float | None:
    """Return the smallest difference of test scores, or their ratio, that a run may claim on a task; else as `resolution`.

    It is a difference of 0, a ratio of 1, where training a net twice from one seed gives the same net, as it should on a
    CPU.
    """
    of_task = [one[one["task"] == task] for one in (cells, replicas)]
    score = scores.of(of_task[0])
    both = [pairing.measured(one, one[score.column]) for one in of_task]
    farthest = _farthest(_differences(*(one.transform(np.log) if score.by_ratio else one for one in both)))
    return math.exp(farthest) if score.by_ratio and farthest is not None else farthest


def _differences(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """Return what the second label exceeds the first by, wherever both were measured."""
    found = second.to_numpy() - first.reindex(index=second.index, columns=second.columns).to_numpy()
    return found[~np.isnan(found)]


def _farthest(differences: np.ndarray) -> float | None:
    """Return the end farther from zero of the interval of the differences."""
    if differences.size < FEWEST_PAIRS:
        return None
    found = statistics.difference(differences, np.zeros(differences.size))
    return max(abs(found.low), abs(found.high))
