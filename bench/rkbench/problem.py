"""Initial value problems with a reference answer: what the error of a solver is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class InitialValueProblem:
    """y' = f(t, y), y(t0) = y0, and y(t1).

    Attributes:
        name: what reports call it.
        f: ``f(t, y)`` with y of shape ``[len(y0)]``; t a 0-dimensional tensor.
        y0: the initial state.
        t_span: (t0, t1).
        y1: the reference state at t1, correct to float64 round-off.
        reference: how ``y1`` is known.
        summary: one line on the problem and where it comes from.
    """

    name: str
    f: Callable[[Tensor, Tensor], Tensor]
    y0: tuple[float, ...]
    t_span: tuple[float, float]
    y1: tuple[float, ...]
    reference: str
    summary: str = ""

    def initial(self, dtype: Any = None) -> Tensor:
        """Return y0 as a tensor ``[len(y0)]``, float64 unless told otherwise."""
        return _tensor(self.y0, dtype)

    def error(self, y: Tensor) -> float:
        """Return how far ``y`` is from y(t1): the largest component, relative to the size of y(t1) or 1."""
        exact = _tensor(self.y1, None).to(y.device)
        return float((y.detach().to(exact.dtype) - exact).abs().max() / max(1.0, exact.abs().max()))

    def backwards(self) -> InitialValueProblem:
        """Return the same curve, run from t1 to t0."""
        return replace(self, name=f"{self.name}_backwards", y0=self.y1, t_span=self.t_span[::-1], y1=self.y0)


def _tensor(values: tuple[float, ...], dtype: Any) -> Tensor:
    import torch

    return torch.tensor(values, dtype=dtype or torch.float64)
