"""The steps of one solve, for the figure that shows them: of one seed, since others look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rkbench.plan import Cell
from rkbench.record import LONGEST_TRACE
from rkbench.solution import trace


def traced(cell: Cell, t0: float, steps: Sequence[float], retries: Sequence[int]) -> list[dict[str, Any]]:
    """Return the first rows of `rkbench.solution.trace`; none for equal steps, and none but for the first seed."""
    wanted = cell.steps is None and cell.seed == 0 and not cell.replica
    return trace(t0, steps, retries)[:LONGEST_TRACE] if wanted else []
