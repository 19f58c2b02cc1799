"""How the error of a step becomes one number: scaled by the tolerances, then a norm."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rkbench.integrate.scheme import Scheme, Weights
from rkbench.integrate.step import Slopes, weighted
from rkbench.solver import Solver

Norm = Callable[[Tensor], Tensor]
"""A scaled quantity -> its norm, 0-dimensional; 0 for an empty one."""

HALVES = (torch.float16, torch.bfloat16)


def single(x: Tensor) -> Tensor:
    """Return half-precision values in float32, where squares neither overflow nor vanish."""
    return x.float() if x.dtype in HALVES else x


def scale(solver: Solver, y: Tensor, y_new: Tensor) -> Tensor:
    """Return atol + rtol max(|y|, |y_new|), elementwise (Hairer, Nørsett & Wanner I, eq. II.4.10)."""
    return torch.maximum(single(y).abs(), single(y_new).abs()).mul_(solver.rtol).add_(solver.atol)


def rms(ratio: Tensor) -> Tensor:
    """Return the root mean square of all elements."""
    if ratio.numel() == 0:
        return ratio.new_zeros(())
    return torch.linalg.vector_norm(ratio) / ratio.numel() ** 0.5


def worst_sample(ratio: Tensor) -> Tensor:
    """Return the largest root mean square of any sample; the first axis counts the samples."""
    if ratio.numel() == 0:
        return ratio.new_zeros(())
    return ratio.abs().max() if ratio.dim() < 2 else per_sample(ratio).max()


def per_sample(ratio: Tensor) -> Tensor:
    """Return the root mean square of each sample, ``[samples]``; the first axis counts them."""
    if ratio.dim() < 2:
        return ratio.abs()
    flat = ratio.flatten(1)
    return torch.linalg.vector_norm(flat, dim=1) / max(flat.shape[1], 1) ** 0.5


NORM: dict[str, Norm] = {"rms": rms, "worst_sample": worst_sample}
"""The functions behind `rkbench.solver.NORMS`."""


def error_norm(
    solver: Solver,
    scheme: Scheme,
    y: Tensor,
    y_new: Tensor,
    k: Slopes,
    h: float,
    norm: Norm | None = None,
) -> float:
    """Return the scaled norm of the error estimate, read back once; NaN when the new state is not finite.

    The norm is the solver's unless given.
    """
    return stretched(*error_norms(solver, scheme, y, y_new, k, h, norm or NORM[solver.norm]).tolist())


@torch.no_grad()
def error_norms(
    solver: Solver, scheme: Scheme, y: Tensor, y_new: Tensor, k: Slopes, h: float | Tensor, norm: Norm
) -> Tensor:
    """Return the norms of the error estimates, ``[1]``, or ``[2]`` with a second embedded solution."""
    scaling = scale(solver, y, y_new)
    weights = (scheme.error, scheme.error_low) if scheme.error_low else (scheme.error,)
    return torch.stack([norm(scaled_error(row, k, h, scaling, y_new)) for row in weights])


def stretched(high: float, low: float = 0.0) -> float:
    """Return e² / sqrt(e² + 0.01 e_low²) of Hairer, Nørsett & Wanner I, II.10; e without a second estimate."""
    return high * high / (high * high + 0.01 * low * low) ** 0.5 if high and low else high


def scaled_error(weights: Weights, k: Slopes, h: float | Tensor, scaling: Tensor, y_new: Tensor) -> Tensor:
    """Return the scaled error estimate of each component.

    An infinite state would scale it to 0, so 0·y_new keeps that visible as NaN.
    """
    error = weighted({i: single(slope) for i, slope in k.items()}, weights, h)
    return error.div_(scaling).add_(single(y_new), alpha=0.0)
