"""What is done with a task: one file per kind of experiment, each with a function of `Measure`'s signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rkbench.experiments import gradient, signal, solving, training
from rkbench.plan import Cell
from rkbench.record import Record

Progress = Callable[[dict[str, Any]], None]
Measure = Callable[[Cell, Any, Any, Record, Progress], None]
"""Measure a task of one kind with a solver, or None if it solves nothing, and fill in the record: as far as it came,
when it raises.

Threads, seed and default dtype are set as the cell says. Progress is told the curve row of each epoch, if any.
"""

EXPERIMENTS: dict[str, Measure] = {
    "training": training.measure,
    "solving": solving.measure,
    "gradient": gradient.measure,
    "signal": signal.measure,
}
"""By the name that a kind of task gives in its ``experiment``."""

RESUMABLE = ("training",)
"""Those that take long, so that they take a `rkbench.saving.Checkpoint` too, as ``checkpoint``, to go on from."""
