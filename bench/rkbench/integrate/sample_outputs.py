"""Output times of samples that pass them one after the other, put together in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rkbench.integrate.own_time import Taken, select
from rkbench.integrate.sample import Sample, Stride
from rkbench.integrate.scheme import Scheme


class SampleOutputs:
    """Collects the states of each sample at the output times, as it passes them.

    Args:
        t0: where the solve starts.
        t1: where it ends.
        times: the output times.
        y0: the initial state ``[samples, *shape]``.
        dense: whether a step is interpolated to the times inside it; else the samples land on them.
    """

    def __init__(self, t0: float, t1: float, times: tuple[float, ...], y0: Tensor, dense: bool) -> None:
        self._t1, self._times, self._y0, self._dense = t1, times, y0, dense
        self._forward = t1 > t0
        self._rows: list[Tensor] = []
        self._places: list[int] = []
        self.at_start = times.count(t0)
        for i in range(self.at_start):
            self._put([(i, row) for row in range(len(y0))], y0)

    def target(self, sample: Sample) -> float:
        """Return the time that no step of a sample may pass."""
        return self._t1 if self._dense or sample.due == len(self._times) else self._times[sample.due]

    def serve(
        self, scheme: Scheme, samples: Sequence[Sample], strides: Sequence[Stride], step: Taken
    ) -> None:
        """Take the states at the output times that accepted steps pass or lead to; no sample has moved yet."""
        inside, landed = [], []
        for row, (sample, (h, _, t_next)) in enumerate(zip(samples, strides, strict=True)):
            while sample.due < len(self._times) and self._reached(t_next, due := self._times[sample.due]):
                place = (sample.due, sample.row)
                if due == t_next:
                    landed.append((place, row))
                else:
                    inside.append((place, row, (due - sample.t) / h))
                sample.due += 1
        if inside:
            places, rows, fractions = zip(*inside, strict=True)
            self._put(places, step.inside(scheme, rows, fractions))
        if landed:
            places, rows = zip(*landed, strict=True)
            self._put(places, step.y if rows == tuple(range(len(samples))) else select(step.y, rows))

    def _reached(self, t: float, due: float) -> bool:
        return t >= due if self._forward else t <= due

    def _put(self, places: Sequence[tuple[int, int]], y: Tensor) -> None:
        """Take states ``[places, *shape]``, each for one (output time, sample)."""
        self._places += [time * len(self._y0) + sample for time, sample in places]
        self._rows.append(y)

    def stacked(self) -> Tensor:
        """Return ``[times, samples, *shape]``; what was not reached holds NaN."""
        size = len(self._times) * len(self._y0)
        if not size:
            return self._y0.new_empty((len(self._times), *self._y0.shape))
        nowhere = torch.full_like(self._y0[:1], math.nan)
        source = [len(self._places)] * size
        for row, place in enumerate(self._places):
            source[place] = row
        y = torch.cat([*self._rows, nowhere])
        y = y[:size] if source == list(range(size)) else select(y, source)
        return y.unflatten(0, (len(self._times), len(self._y0)))
