"""Spans and output times that each sample of a batch has of its own, as irregular data do.

With steps of its own (``control="sample"``), a sample walks from its t0 to its t1. Steps that a batch shares are
taken in s from 0 to 1: each sample is at t = t0 + s (t1 - t0), so that dy/ds = (t1 - t0) f(t, y), and a step is the
same share of every span.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rkbench.errors import SolverError
from rkbench.integrate.gradients.buffers import buffers_of, unchanged
from rkbench.integrate.gradients.moving_times import shifted
from rkbench.integrate.own_time import columns
from rkbench.integrate.per_sample import check_axis
from rkbench.integrate.sample import Course


def are_own(times: Sequence[Any]) -> bool:
    """Whether a time among these has an axis of samples."""
    return any(getattr(time, "ndim", 0) for time in times)


class OwnSpans(NamedTuple):
    """When each sample starts and ends, and when its states are wanted; float64, on the device of the state.

    Attributes:
        t0: ``[samples]``.
        t1: ``[samples]``.
        times: ``[times, samples]``.
    """

    t0: Tensor
    t1: Tensor
    times: Tensor

    @property
    def shares(self) -> Tensor:
        """The output times as shares of the spans, ``[times, samples]``; 0 where a sample stays."""
        stays = self.t0 == self.t1
        length = torch.where(stays, torch.ones_like(self.t0), self.t1 - self.t0)
        return torch.where(stays, torch.zeros_like(self.times), (self.times - self.t0) / length)

    @property
    def moves(self) -> bool:
        """Whether a gradient to a time is asked for."""
        return torch.is_grad_enabled() and any(time.requires_grad for time in self)

    def detached(self) -> OwnSpans:
        """Return the same without a way back."""
        return OwnSpans(*(time.detach() for time in self))

    def courses(self) -> list[Course]:
        """Return where each sample is to go."""
        rows = zip(self.t0.tolist(), self.t1.tolist(), self.times.T.tolist(), strict=True)
        return [Course(t0, t1, tuple(times)) for t0, t1, times in rows]


def own_spans(y0: Tensor, t_span: Sequence[Any], t_eval: Sequence[Any] | None) -> OwnSpans:
    """Return the times of each sample, one that is a number or has no axis for all of them.

    Raises:
        SolverError: the times do not fit the batch, are not finite, or leave the span of their sample.
    """
    n = len(check_axis(y0))
    if len(t_span) != 2:
        raise SolverError(
            f"t_span has {len(t_span)} times; give (t0, t1), and further output times as t_eval."
        )
    t0, t1 = (_row(time, n, y0) for time in t_span)
    rows = (t0, t1) if t_eval is None else tuple(_row(time, n, y0) for time in t_eval)
    times = torch.stack(rows) if rows else t0.new_empty((0, n))
    spans = OwnSpans(t0, t1, times)
    _refuse(spans.detached())
    return spans


def _row(time: Any, n: int, like: Tensor) -> Tensor:
    """Return a time of every sample, ``[samples]``."""
    row = torch.as_tensor(time).to(device=like.device, dtype=torch.float64)
    if row.dim() > 1 or (row.dim() == 1 and len(row) != n):
        raise SolverError(
            f"A time has the shape {tuple(row.shape)} for {n} samples; give a number, or a tensor with one time per sample."
        )
    return row.expand(n)


def _refuse(spans: OwnSpans) -> None:
    if not all(bool(time.isfinite().all()) for time in spans):
        raise SolverError("A time is not finite; give finite t0, t1 and t_eval.")
    way = torch.cat((spans.t0[None], spans.times, spans.t1[None]))
    wrong = ((way[1:] - way[:-1]) * (spans.t1 - spans.t0).sign() < 0) | (
        (spans.t1 == spans.t0) & (way[1:] != way[:-1])
    )
    if bool(wrong.any()):
        sample = int(wrong.any(0).nonzero()[0])
        raise SolverError(
            f"t_eval must run from t0 = {float(spans.t0[sample]):g} towards t1 = {float(spans.t1[sample]):g} and stay "
            f"between them, which it does not for sample {sample}; sort or cut it."
        )


class Rescaled(nn.Module):
    """dy/ds for s from 0 to 1, each sample in its own span; a module, so that what f holds is found in it.

    Args:
        f: ``f(t, y)`` with t ``[samples, 1, …]``.
        spans: where the samples start and end; gradients to them are those of the computed steps.
        y0: for its shape and dtype.
    """

    def __init__(self, f: Callable[..., Any], spans: OwnSpans, y0: Tensor) -> None:
        super().__init__()
        self.f = f
        self._t0, self._t1 = (columns(time, y0) for time in (spans.t0, spans.t1))
        self._dtype = y0.dtype

    def forward(self, s: Tensor, y: Tensor) -> Any:
        """Return dy/ds at the share ``s`` of the spans."""
        t = torch.lerp(self._t0, self._t1, s.to(self._t0.dtype))  # the ends exactly, and nothing beyond them
        k = self.f(t.to(self._dtype), y)
        return k * (self._t1 - self._t0).to(self._dtype) if isinstance(k, Tensor) else k


def set_off(f: Callable[..., Any], y0: Tensor, spans: OwnSpans) -> tuple[Tensor, int]:
    """Return y0 with the gradient by which t0 moves all that follows, and the evaluations that took."""
    if not spans.t0.requires_grad:
        return y0, 0
    slope = _slopes(f, spans.t0, y0)
    return shifted(y0, spans.t0.detach() - spans.t0, list(range(len(y0))), slope), 1


def arrived(f: Callable[..., Any], y: Tensor, spans: OwnSpans) -> tuple[Tensor, int]:
    """Return the states with the gradients by which their own times move them, and the evaluations that took."""
    moving = spans.times.requires_grad
    if not moving:
        return y, 0
    slopes = torch.stack([_slopes(f, t, row) for t, row in zip(spans.times, y, strict=True)])
    shifts = (spans.times - spans.times.detach()).flatten()
    moved = shifted(y.flatten(0, 1), shifts, list(range(len(shifts))), slopes.flatten(0, 1))
    return moved.unflatten(0, y.shape[:2]), len(slopes)


def _slopes(f: Callable[..., Any], t: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad(), unchanged(buffers_of(f)):
        return f(columns(t, y).to(y.dtype), y)
