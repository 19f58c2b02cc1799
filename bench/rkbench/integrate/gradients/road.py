"""What a road that differentiates the computed steps has to say: how a step is taken, and what that costs later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes


class Step(Protocol):
    """`rkbench.integrate.step.take_step`, or the same in another way."""

    def __call__(
        self,
        scheme: Scheme,
        f: Callable[[Tensor, Tensor], Tensor],
        times: Mapping[int, Tensor],
        y: Tensor,
        h: float,
        k: Slopes,
    ) -> tuple[Tensor, Slopes]:
        """Return the state after a step of size ``h`` from ``y``, and the slopes."""
        ...


@dataclass(frozen=True)
class Road:
    """A way to take steps that autograd can walk back.

    Attributes:
        step: takes one step.
        recomputed: (scheme, accepted steps) -> evaluations of f that a backward pass adds.
    """

    step: Step
    recomputed: Callable[[Scheme, int], int]
