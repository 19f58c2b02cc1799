"""A reversible solve as one node of autograd's graph, and the looks at it before its gradient is handed out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rkbench import SolverError, buffers_of, unchanged
from rkbench_solvers.engines.reversible_shears import Y
from rkbench_solvers.engines.reversible_stability import RECONSTRUCTION
from rkbench_solvers.engines.reversible_way import Way, plus

PARTED = 0.3
"""How far apart the two states may be, relative to their size. Coarse stable steps of Euler's method leave 0.2."""


class Reversed(torch.autograd.Function):
    """(y0, parameters) -> y at the output times, and at t1. The last pair is all that is kept for the way back, beside y0."""

    @staticmethod
    def forward(ctx: Any, way: Way, y0: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Walk there; y at t1 is handed out beside, without a gradient."""
        rows, pair = way.there(y0.detach())
        ctx.way = way
        ctx.autocast = _autocast(y0)
        ctx.save_for_backward(y0, *pair, *parameters)
        ctx.mark_non_differentiable(pair[Y])
        return rows, pair[Y]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        """Walk back.

        Raises:
            SolverError: a second derivative was asked for; or the states found do not lead back to y0.
        """
        if torch.is_grad_enabled():  # create_graph=True
            raise SolverError(
                "A reversible solve cannot be differentiated twice; use engine='rkbench', gradient='checkpoint'."
            )
        y0, y, z, *parameters = ctx.saved_tensors
        way: Way = ctx.way
        with unchanged(buffers_of(way.f.f)), torch.autocast(**ctx.autocast):
            start, adjoint, theta = way.back([y, z], parameters, grads[0])
        refuse_if_parted(way, y0, y, start)
        return None, plus(*adjoint), *theta


def _autocast(y: Tensor) -> dict[str, Any]:
    """Return how autocast is set, for f to be computed on the way back as on the way there."""
    device = y.device.type
    return {
        "device_type": device,
        "enabled": torch.is_autocast_enabled(device),
        "dtype": torch.get_autocast_dtype(device),
    }


def refuse_if_parted(way: Way, y0: Tensor, y1: Tensor, start: Sequence[Tensor] = ()) -> None:
    """Look at what tells a solve gone wrong; waits for the device once.

    States that are not finite are told by the solution, not here.

    Args:
        way: walked there.
        y0: the state at t0.
        y1: the state at t1.
        start: the pair at t0 as it was found on the way back, if it was.

    Raises:
        SolverError: the two states have parted; or ``start`` is not y0.
    """
    if not y0.numel():
        return
    size = torch.maximum(y0.detach().abs().amax(), y1.abs().amax())
    missed = [(state - y0).abs().amax().nan_to_num(nan=torch.inf) for state in start]
    gap = torch.zeros_like(size) if way.gap is None else way.gap
    off = torch.stack(missed).amax() if missed else torch.zeros_like(size)
    parted, off = (torch.stack([gap, off]) / torch.where(size == 0, 1.0, size)).tolist()
    if parted > PARTED:
        raise SolverError(
            f"The two states of the reversible scheme have parted, by {parted:.2g} of their size, because its "
            f"steps are not stable here, or far too long; {way.advice}"
        )
    if off > RECONSTRUCTION:
        raise SolverError(
            f"The way back of the reversible scheme missed y(t0) by {off:.2g} of its size, so that the gradient would "
            f"be wrong; {way.advice}"
        )
