"""How much memory a cell takes, with every process that it started, watched from outside.

The sum of resident pages is quick to read and too large, as forked processes share most of theirs. So it only raises the
suspicion; what decides is the proportional sum, in which a page shared by n processes counts 1/n to each, or, where the
system does not tell it, the pages that each has for itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

import psutil

MIB = 2**20

SHARE = 0.9
"""Of the machine's memory, divided among the cells that run at a time; the rest is for everybody else."""

EVERY, EFFORT = 1.0, 0.01
"""Seconds between two looks at all processes of a cell, and the share of the time that they may take at most."""


def fair_limit_mb(jobs: int) -> float:
    """Return the MiB that each of so many cells may take at a time."""
    return SHARE * psutil.virtual_memory().total / MIB / jobs


class Appetite:
    """Watches the memory of one process and of all below it.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._next = time.monotonic() + EVERY

    def excessive(self, limit_mb: float) -> bool:
        """Return whether they take more than so many MiB; where the family is not due, only its head is looked at."""
        head = _found(self.pid)
        if _resident_mb(head) <= limit_mb and time.monotonic() < self._next:
            return False
        start = time.thread_time()
        family = head + _below(head)
        excessive = _resident_mb(family) > limit_mb and _proportional_mb(family) > limit_mb
        took = time.thread_time() - start
        self._next = time.monotonic() + max(EVERY, took / EFFORT)
        return excessive


def _found(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [psutil.Process(pid)]
    return []


def _below(head: Iterable[psutil.Process]) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [child for one in head for child in one.children(recursive=True)]
    return []


def _resident_mb(processes: Iterable[psutil.Process]) -> float:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / MIB


def _proportional_mb(processes: Iterable[psutil.Process]) -> float:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            info = process.memory_full_info()
            total += getattr(info, "pss", info.uss)
    return total / MIB
