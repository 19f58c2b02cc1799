"""Step-size controllers: pure functions from past error norms to the next step.

The engine, not the controller, keeps the rules that are easily broken (Hairer, Nørsett & Wanner I, II.4;
Gustafsson 1991, doi:10.1145/210232.210242):

* a step is accepted when its error norm is at most 1; NaN and infinity are rejected;
* a rejected step is retried by the elementary rule, so the step always shrinks;
* the step does not grow right after a rejection;
* a step that was cut to land on an output time or on t1 does not enter the history, and neither does a
  rejected one;
* the history belongs to one solve.

So a controller holds no state, and one object may serve any number of solves at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rkbench.errors import SolverError

if TYPE_CHECKING:
    from rkbench.tableau import Citation

Propose = Callable[[Sequence[float], Sequence[float], int], float]
"""(errors, ratios, k) -> h_new / h before safety and limits.

``errors`` are the scaled error norms e_n, e_(n-1), … of accepted steps (1 is the tolerance; never 0);
``ratios`` are h_n/h_(n-1), h_(n-1)/h_(n-2), …; both newest first, as far as there is history, at most
three long. ``k`` is the power of h at which the error shrinks, so e^(-1/k) is the elementary factor.
"""

HISTORY = 3
"""How many accepted steps a controller sees."""

SMALLEST_ERROR = 1e-10
"""Error norms are raised to this before a controller sees them, so that an exact step does no harm."""


@dataclass(frozen=True)
class StepController:
    """A rule for the next step.

    Attributes:
        name: how users ask for it.
        propose: the rule; None for a controller that does not look at errors.
        safety: multiplies every proposal.
        smallest: least factor h_new / h.
        largest: greatest factor h_new / h.
        prescribed: the signed steps of a `replay`, taken as given.
        source: where it was published.

    Raises:
        SolverError: the limits or the safety factor would let a rejected step grow.
    """

    name: str
    propose: Propose | None = None
    safety: float = 0.9
    smallest: float = 0.2
    largest: float = 10.0
    prescribed: tuple[float, ...] | None = None
    source: Citation | None = None

    def __post_init__(self) -> None:
        if not (0 < self.smallest < 1 <= self.largest and 0 < self.safety < 1):
            raise SolverError(
                f"{self.name}: safety = {self.safety!r} and smallest = {self.smallest!r} must lie between 0 and 1, so "
                f"that a rejected step shrinks, and largest = {self.largest!r} must be at least 1; change them."
            )

    @property
    def adaptive(self) -> bool:
        """Whether it chooses steps by their errors."""
        return self.propose is not None

    def factor(self, errors: Sequence[float], ratios: Sequence[float], k: int) -> float:
        """Return h_new / h after an accepted step, within the limits."""
        assert self.propose is not None
        return self._limited(self.propose(errors, ratios, k))

    def factor_after_rejection(self, error: float, k: int) -> float:
        """Return h_new / h < 1 after a rejected step: elementary, or the least factor when it is not finite."""
        if not math.isfinite(error):
            return self.smallest
        return min(self._limited(error ** (-1 / k)), self.safety)

    def _limited(self, proposal: float) -> float:
        if math.isnan(proposal):
            return self.smallest
        return min(max(self.safety * proposal, self.smallest), self.largest)


def digital_filter(
    name: str, beta: Sequence[float], alpha: Sequence[float] = (), *, source: Citation | None = None
) -> StepController:
    """Return the controller of a linear filter of the error history.

    h_(n+1)/h_n = e_n^(-β₁/k) e_(n-1)^(-β₂/k) e_(n-2)^(-β₃/k) (h_n/h_(n-1))^(-α₂) (h_(n-1)/h_(n-2))^(-α₃)
    (Söderlind 2003, doi:10.1145/641876.641877). Missing history counts as 1.
    """

    def propose(errors: Sequence[float], ratios: Sequence[float], k: int) -> float:
        by_error = (e ** (-b / k) for e, b in zip(errors, beta, strict=False))
        by_ratio = (r**-a for r, a in zip(ratios, alpha, strict=False))
        return math.prod(by_error) * math.prod(by_ratio)

    return StepController(name=name, propose=propose, source=source)


FIXED = StepController("fixed")
"""Equal steps; needs ``steps``."""

REPLAY = StepController("replay")
"""A prescribed sequence of steps; `replay` gives it one."""


def replay(steps: Sequence[float]) -> StepController:
    """Return the controller that takes exactly these steps, such as ``solution.steps`` of another solve.

    Args:
        steps: signed step sizes, which must lead from t0 to t1.

    Raises:
        SolverError: a step is zero or not finite, or there is none.
    """
    taken = tuple(map(float, steps))
    if not taken or any(h == 0 or not math.isfinite(h) for h in taken):
        raise SolverError("replay needs at least one step, each finite and not 0; pass `solution.steps`.")
    return replace(REPLAY, prescribed=taken)
