"""States wanted at other times for each sample of a batch whose steps are shared: read off the steps as they are taken.

By the method's own dense output, or else by the cubic Hermite polynomial through states and slopes at both ends of
a step, whose error is O(h⁴) (Hairer, Nørsett & Wanner I, section II.6). No step is cut to land on such a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from rkbench.integrate.error import single
from rkbench.integrate.field import Field
from rkbench.integrate.output import Outputs
from rkbench.integrate.own_time import columns, index
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes


class _Step(NamedTuple):
    scheme: Scheme
    y: Tensor
    k: Slopes
    t: float
    t_next: float

    @property
    def first(self) -> Tensor | None:
        """The slope where the step starts, if it is among those that it took."""
        return self.k.get(0) if self.scheme.starts_at_t else None


class _Waiting(NamedTuple):
    """A step whose states cannot be read off before f at its end is known, where the next one starts."""

    step: _Step
    end: Tensor
    places: list[int]


class RowOutputs(Outputs):
    """Collects the states of each sample at its own output times; what the loops ask of `Outputs`.

    Args:
        shares: the output times as shares of the spans, ``[times, samples]``, rising in each column; a gradient to
            them is that of the interpolation.
        field: f over the spans, evaluated where the steps leave a slope out; ``field.calls`` tells how often.
        y0: the states at 0.
        times: the output times themselves, ``[times, samples]``, for the solution.
    """

    scattered = True

    def __init__(self, shares: Tensor, field: Field, y0: Tensor, times: Tensor) -> None:
        super().__init__(0.0, 1.0, (), y0)
        self.times = times
        self._shares, self._field = shares, field
        values, places = shares.detach().flatten().cpu().sort()
        self._values, self._places = values.tolist(), places.tolist()
        self._pieces: list[Tensor] = []
        self._taken = 0
        self._step: _Step | None = None
        self._waiting: _Waiting | None = None

    @property
    def calls(self) -> int:
        """The evaluations of f that output times took."""
        return self._field.calls

    def serve_inside(self, scheme: Scheme, y: Tensor, k: Slopes, t: float, t_next: float) -> None:
        """Take the step from ``y`` at ``t``, whose end comes next."""
        self._step = _Step(scheme, y, k, t, t_next)
        self._serve_waiting(self._step.first)

    def record(self, t: float, y: Tensor) -> None:
        """Take the end of the step, and read off it what lies on it; there is nothing to be had at the start."""
        if t == 0.0 or self._step is None:
            return
        first = self._taken
        while self._taken < len(self._values) and self._values[self._taken] <= t:
            self._taken += 1
        places = self._places[first : self._taken]
        if not places:
            return
        self._waiting = _Waiting(self._step, y, places)
        if self._step.scheme.dense or _last(self._step) is not None:
            self._serve_waiting(None)

    def _serve_waiting(self, slope_end: Tensor | None) -> None:
        """Read off what waits, given f at the end of its step where that is known."""
        if self._waiting is not None:
            self._pieces.append(self._read(*self._waiting, slope_end))
            self._waiting = None

    def _read(self, step: _Step, end: Tensor, places: list[int], slope_end: Tensor | None) -> Tensor:
        """Return the states ``[places, *shape]`` on a step."""
        h = step.t_next - step.t
        theta = (self._shares.flatten()[index(places, self._shares)] - step.t) / h
        samples = len(end)
        rows = index([place % samples for place in places], end)
        y = single(step.y[rows])
        if step.scheme.dense:
            for stage, row in step.scheme.dense:
                weight = sum((p * theta**power for power, p in enumerate(row, 1)), torch.zeros_like(theta))
                y = torch.addcmul(y, columns(weight * h, y), single(step.k[stage][rows]))
            return y.to(end.dtype)
        slope, slope_end = (single(slope[rows]) for slope in self._slopes(step, end, slope_end))
        rest = 1 - theta
        y = y + columns(theta**2 * (3 - 2 * theta), y) * (single(end[rows]) - y)
        y = torch.addcmul(y, columns(h * theta * rest**2, y), slope)
        return torch.addcmul(y, columns(-h * theta**2 * rest, y), slope_end).to(end.dtype)

    def _slopes(self, step: _Step, end: Tensor, slope_end: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return f at both ends of a step, evaluated where neither this step nor the next has done it."""
        start = self._field.at(step.t, step.y) if step.first is None else step.first
        known = _last(step) if slope_end is None else slope_end
        return start, self._field.at(step.t_next, end) if known is None else known

    def stacked(self, like: Tensor) -> Tensor:
        """Return ``[times, samples, *shape]``; times not reached hold NaN, but for those at the start."""
        self._serve_waiting(None)
        missing = self._places[self._taken :]
        at_start = [
            place for place, value in zip(missing, self._values[self._taken :], strict=True) if value == 0
        ]
        beyond = missing[len(at_start) :]
        samples = len(like)
        rows = index([place % samples for place in at_start], like)
        pieces = [
            *self._pieces,
            like[rows],
            torch.full_like(like[:1], math.nan).expand(len(beyond), *like.shape[1:]),
        ]
        order = torch.tensor(self._places, device=like.device)
        y = torch.cat(pieces)[order.argsort()]
        return y.unflatten(0, tuple(self._shares.shape))


def _last(step: _Step) -> Tensor | None:
    """Return f at the end of a step, if it is among its slopes."""
    scheme = step.scheme
    return step.k[scheme.final] if scheme.fsal and scheme.final in step.k else None
