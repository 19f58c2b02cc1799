"""The noise sentinel: a fixed piece of work, timed between cells, that tells whether the machine was disturbed.

Its time on the clock changes only when the machine does: another clock rate, a busy host under a virtual machine; and
it exceeds the CPU's own time only when other programs want the same core. A cell between two quiet pulses was
probably left alone as well.
"""

from __future__ import annotations

import math
import time
from statistics import median
from typing import NamedTuple

LIMIT = 0.10
"""A larger `Watch.disturbance` marks the cell between the last two pulses as disturbed."""

FRESH = 2.0
"""Seconds after which a pulse says nothing any more about what comes next: another run may have had its turn."""

PASSES, DEPTH = 12, 200
"""Of one pulse: about a tenth of a second."""


class Pulse(NamedTuple):
    """What the work took, in seconds: on the clock, and of the CPU."""

    clock: float
    cpu: float


UNFELT = Pulse(clock=60.0, cpu=60.0)
"""Of a machine on which the work was not done within a minute, or not at all: about as disturbed as can be."""


def pulse() -> Pulse:
    """Do the sentinel's work on one thread: a deep chain of small layers, like an ODE-net's."""
    import torch

    torch.set_num_threads(1)
    weight, y0 = torch.full((64, 64), 1 / 64), torch.ones(128, 64)

    def work(passes: int) -> None:
        for _ in range(passes):
            y = y0
            for _ in range(DEPTH):
                y = torch.tanh(y @ weight)

    with torch.no_grad():
        work(1)  # caches are warm from here on
        clock, cpu = time.perf_counter(), time.thread_time()
        work(PASSES)
        return Pulse(time.perf_counter() - clock, time.thread_time() - cpu)


class Watch:
    """The pulses of a run, and what they say about the time between two of them."""

    def __init__(self) -> None:
        self.pulses: list[Pulse] = []
        self._felt = -math.inf

    def feel(self, pulse: Pulse) -> None:
        """Take down a pulse that was felt just now."""
        self.pulses.append(pulse)
        self._felt = time.monotonic()

    @property
    def fresh(self) -> bool:
        """Whether the last pulse is recent enough to be the one before the next cell."""
        return time.monotonic() - self._felt < FRESH

    def disturbance(self) -> float:
        """Return how far one of the last two pulses was off: from the median of all, or from the CPU's own time.

        A share: 0.1 is ten per cent. The larger of the two counts, of the worse of the pulses.
        """
        usual = median(pulse.clock for pulse in self.pulses)
        return max(
            max(abs(pulse.clock / usual - 1), pulse.clock / pulse.cpu - 1) for pulse in self.pulses[-2:]
        )
