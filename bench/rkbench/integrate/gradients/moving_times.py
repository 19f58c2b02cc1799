"""Gradients to the end times and the output times, along any road to the gradient.

A Runge–Kutta step does not change under an affine change of time. So f is wrapped: it is solved over the times as
numbers, and sees them moved by (t0 - its value) and (t1 - its value), which are zero but for their gradient. That
gives dL/dt1 = a(t1)·f(t1, y1), for the computed steps or the continuous problem, as the road goes. An output time
between the ends moves its state by f there, which costs one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.errors import SolverError
from rkbench.integrate.gradients.buffers import buffers_of, unchanged
from rkbench.solution import Solution

Time = float | Tensor


def moves(time: Any) -> bool:
    """Whether a gradient to this time is asked for."""
    return isinstance(time, Tensor) and time.requires_grad


def value(time: Any) -> float:
    """Return the time as a number."""
    return float(time.detach()) if isinstance(time, Tensor) else float(time)


def _shift(time: Time, like: Tensor) -> Tensor:
    """Return 0, with the gradient of ``time``."""
    if not isinstance(time, Tensor) or not time.requires_grad:
        return like.new_zeros(())
    return (time - time.detach()).reshape(()).to(like)


class Moved(nn.Module):
    """f over a span that moves; a module, so that the parameters and buffers of f are found in it.

    Args:
        f: ``f(t, y)``.
        t_span: (t0, t1), one of them a tensor that asks for its gradient.
        y0: for its dtype and device.
    """

    def __init__(self, f: Callable[..., Any], t_span: Sequence[Time], y0: Tensor) -> None:
        super().__init__()
        self.f = f
        self.t_span = tuple(t_span)
        self._t0, t1 = map(value, t_span)
        self._length = t1 - self._t0
        self._start, end = (_shift(time, y0) for time in t_span)
        self._growth = end - self._start

    def forward(self, t: Tensor, y: Tensor) -> Any:
        """Return dy/dt by the unmoved time, which differs from f in its gradient only."""
        k = self.f(t + self.shift(t), y)
        return k * (1 + self._growth / self._length) if isinstance(k, Tensor) else k

    def shift(self, t: Tensor | float) -> Tensor:
        """Return 0, with the gradient by which the ends move the time ``t``."""
        if self._length == 0:
            return self._start
        return self._start + (t - self._t0) / self._length * self._growth

    def carries(self, time: Time, t: float) -> bool:
        """Whether the state computed for ``time``, at ``t``, moves as that time does, which nothing needs to mend."""
        t0, t1 = self.t_span
        if time is t0 or (time is t1 and self._length):
            return True
        before_end, after_start = t != value(t1) or not self._length, t != value(t0)
        return not (moves(time) or (moves(t0) and before_end) or (moves(t1) and after_start))


def moved_outputs(solution: Solution, moved: Moved, times: Sequence[Time]) -> Solution:
    """Return the solution with each state moved from where the span carries its time to where the time is."""
    start = value(moved.t_span[0])
    rows = [
        i
        for i, (time, t) in enumerate(zip(times, map(float, solution.t), strict=True))
        if abs(t - start) <= abs(solution.t_reached - start) and not moved.carries(time, t)
    ]
    if not rows:
        return solution
    y = solution.y
    shifts = torch.stack([_shift(times[i], y) - moved.shift(solution.t[i]) for i in rows])
    with torch.no_grad(), unchanged(buffers_of(moved.f)):
        slopes = [moved.f(y.new_tensor(solution.t[i]), y[i].detach()) for i in rows]
    solution.stats.nfe_output += len(rows)
    return replace(solution, y=shifted(y, shifts, rows, torch.stack(slopes)))


def shifted(y: Tensor, shifts: Tensor, rows: list[int], slopes: Tensor) -> Tensor:
    """Return states as they are, with a gradient to the shifts, which are 0, of the times of some rows.

    Args:
        y: the states, row by row.
        shifts: of the rows that move.
        rows: which these are.
        slopes: f there.
    """
    return _Shifted.apply(y, shifts, rows, slopes)


class _Shifted(torch.autograd.Function):
    """States, and shifts of the times of some rows, which are 0 -> the same states."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, shifts: Tensor, rows: list[int], slopes: Tensor) -> Tensor:
        ctx.rows = rows
        ctx.save_for_backward(slopes)
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise SolverError(
                "Gradients to output times inside the span cannot be differentiated again; make them end times "
                "of spans of their own."
            )
        (slopes,) = ctx.saved_tensors
        return grads[0], (grads[0][ctx.rows] * slopes).reshape(len(ctx.rows), -1).sum(1), None, None
