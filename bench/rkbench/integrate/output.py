"""Output times: checked once, then served by landing on them or by dense output."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes, interpolate


def checked_times(
    t_span: Sequence[float], t_eval: Sequence[float] | None
) -> tuple[float, float, tuple[float, ...]]:
    """Return t0, t1 and the output times.

    Raises:
        SolverError: a time is not finite, lies outside the span, or goes against its direction.
    """
    if len(t_span) != 2:
        raise SolverError(
            f"t_span has {len(t_span)} times; give (t0, t1), and further output times as t_eval."
        )
    t0, t1 = map(float, t_span)
    times = (t0, t1) if t_eval is None else tuple(map(float, t_eval))
    if not all(map(math.isfinite, (t0, t1, *times))):
        raise SolverError("A time is not finite; give finite t0, t1 and t_eval.")
    direction = math.copysign(1.0, t1 - t0)
    ordered = all(direction * (b - a) >= 0 for a, b in zip(times, times[1:], strict=False))
    inside = all(min(t0, t1) <= t <= max(t0, t1) for t in times)
    if not (ordered and inside):
        raise SolverError(
            f"t_eval must run from t0 = {t0:g} towards t1 = {t1:g} and stay between them; sort or cut it."
        )
    return t0, t1, times


class Outputs:
    """Collects the state at the output times as the solve passes them.

    Attributes:
        times: the output times.
        landings: those that a step may have to end at.
        scattered: whether states are wanted wherever a step leads.
    """

    scattered = False

    def __init__(self, t0: float, t1: float, times: tuple[float, ...], y0: Tensor) -> None:
        self.times = self.landings = times
        self._direction = math.copysign(1.0, t1 - t0)
        self._y: list[Tensor] = []
        self.record(t0, y0)

    @property
    def pending(self) -> float | None:
        """The next output time, or None."""
        return self.landings[len(self._y)] if len(self._y) < len(self.landings) else None

    def due(self, t: float) -> float | None:
        """The next output time when it lies strictly before ``t``, else None."""
        pending = self.pending
        return pending if pending is not None and self._direction * (t - pending) > 0 else None

    def put(self, y: Tensor) -> None:
        """Give the state at the next output time."""
        self._y.append(y)

    def serve_inside(self, scheme: Scheme, y: Tensor, k: Slopes, t: float, t_next: float) -> None:
        """Interpolate to the output times strictly inside the step that led from ``y`` at ``t`` to ``t_next``."""
        h = t_next - t
        while (due := self.due(t_next)) is not None:
            self.put(interpolate(scheme, y, k, h, (due - t) / h))

    def record(self, t: float, y: Tensor) -> None:
        """Give the state at ``t``, which serves every output time equal to it."""
        while self.pending == t:
            self.put(y)

    def stacked(self, like: Tensor) -> Tensor:
        """Return ``[len(times), *shape]``; times not reached hold NaN."""
        if len(self.times) == len(self._y) == 1 and self._y[0] is not like:
            return self._y[0].unsqueeze(0)  # spares a copy, there and back
        missing = len(self.times) - len(self._y)
        filler = [torch.full_like(like, math.nan)] * missing
        return torch.stack([*self._y, *filler]) if self.times else like.new_empty((0, *like.shape))
