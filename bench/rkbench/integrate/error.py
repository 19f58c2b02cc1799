"""How the error of a step becomes one number: scaled by the tolerances, then a norm."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rkbench.integrate.scheme import Scheme
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
    if ratio.dim() < 2:
        return ratio.abs().max()
    per_sample = ratio.flatten(1)
    return torch.linalg.vector_norm(per_sample, dim=1).max() / per_sample.shape[1] ** 0.5


NORM: dict[str, Norm] = {"rms": rms, "worst_sample": worst_sample}
"""The functions behind `rkbench.solver.NORMS`."""


@torch.no_grad()
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

    With a second embedded solution it is the stretched estimate e² / sqrt(e² + 0.01 e_low²) of Hairer, Nørsett
    & Wanner I, section II.10. The norm is the solver's unless given.
    """
    norm = norm or NORM[solver.norm]
    scaling = scale(solver, y, y_new)
    e = norm(_ratio(scheme.error, k, h, scaling, y_new))
    if not scheme.error_low:
        return e.item()
    low = norm(_ratio(scheme.error_low, k, h, scaling, y_new))
    high, low = torch.stack((e, low)).tolist()
    return high * high / (high * high + 0.01 * low * low) ** 0.5 if high else high


def _ratio(weights, k: Slopes, h: float, scaling: Tensor, y_new: Tensor) -> Tensor:
    """The scaled error; an infinite state would scale it to 0, so 0·y_new keeps that visible as NaN."""
    error = weighted({i: single(slope) for i, slope in k.items()}, weights, h)
    return error.div_(scaling).add_(single(y_new), alpha=0.0)
