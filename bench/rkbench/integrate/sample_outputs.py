"""Output times of samples that pass them one after the other, put together in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rkbench.integrate.own_time import Taken, select
from rkbench.integrate.sample import Course, Sample, Stride
from rkbench.integrate.scheme import Scheme


class SampleOutputs:
    """Collects the states of each sample at the output times, as it passes them.

    Args:
        courses: of the samples, as many output times each.
        y0: the initial state ``[samples, *shape]``.
        dense: whether a step is interpolated to the times inside it; else the samples land on them.

    Attributes:
        at_start: how many output times of each sample are its start.
    """

    def __init__(self, courses: Sequence[Course], y0: Tensor, dense: bool) -> None:
        self._y0, self._dense = y0, dense
        self._count = len(courses[0].times) if courses else 0
        self._rows: list[Tensor] = []
        self._places: list[int] = []
        self.at_start = [course.times.count(course.t0) for course in courses]
        for i in range(max(self.at_start, default=0)):
            there = [row for row, count in enumerate(self.at_start) if count > i]
            self._put([(i, row) for row in there], y0 if len(there) == len(y0) else select(y0, there))

    def target(self, sample: Sample) -> float:
        """Return the time that no step of a sample may pass."""
        course = sample.course
        return course.t1 if self._dense or sample.due == self._count else course.times[sample.due]

    def serve(
        self, scheme: Scheme, samples: Sequence[Sample], strides: Sequence[Stride], step: Taken
    ) -> None:
        """Take the states at the output times that accepted steps pass or lead to; no sample has moved yet."""
        inside, landed = [], []
        for row, (sample, (h, _, t_next)) in enumerate(zip(samples, strides, strict=True)):
            course = sample.course
            while sample.due < self._count and course.reached(t_next, due := course.times[sample.due]):
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

    def _put(self, places: Sequence[tuple[int, int]], y: Tensor) -> None:
        """Take states ``[places, *shape]``, each for one (output time, sample)."""
        self._places += [time * len(self._y0) + sample for time, sample in places]
        self._rows.append(y)

    def stacked(self) -> Tensor:
        """Return ``[times, samples, *shape]``; what was not reached holds NaN."""
        size = self._count * len(self._y0)
        if not size:
            return self._y0.new_empty((self._count, *self._y0.shape))
        nowhere = torch.full_like(self._y0[:1], math.nan)
        source = [len(self._places)] * size
        for row, place in enumerate(self._places):
            source[place] = row
        y = torch.cat([*self._rows, nowhere])
        y = y[:size] if source == list(range(size)) else select(y, source)
        return y.unflatten(0, (self._count, len(self._y0)))
