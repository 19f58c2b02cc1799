"""The promises of a method."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rkbench.conformance.check import Check, Promise, Verdict, check_all
from rkbench.conformance.observed import DIGITS, long_steps, observed_estimate, observed_order
from rkbench.conformance.trials import SPAN, Observed, distance, family, family_state, run, ways
from rkbench.controller import replay
from rkbench.order import trees
from rkbench.problems.closed import COUPLED
from rkbench.registry import Registry, default
from rkbench.solution import Solution, Status
from rkbench.tableau import ButcherTableau


def _order_conditions(method: ButcherTableau, registry: Registry) -> Verdict:
    return _conditions(method, "b", method.order)


def _embedded_conditions(method: ButcherTableau, registry: Registry) -> Verdict:
    assert method.embedded_order is not None
    return _conditions(method, "b_embedded", method.embedded_order)


def _conditions(method: ButcherTableau, weights: str, order: int) -> Verdict:
    proof = method.proofs[weights]
    count = sum(len(trees(nodes, method.coloured)) for nodes in range(1, order + 1))
    how = "exactly" if proof.exact else f"within {proof.residual:.1e}"
    return proof.order == order, f"order {order}: all {count} conditions hold {how}"


def _steps_of_the_tableau(method: ButcherTableau, registry: Registry) -> Verdict:
    """Three steps of the engine against long arithmetic: stages, weights, nodes and FSAL in their places."""
    import mpmath

    t0, t1 = COUPLED.t_span
    with mpmath.workdps(DIGITS):
        *_, (_, state) = long_steps(method, mpmath.mpf(t1 - t0) / 3, 3)
        exact = torch.tensor([float(x) for x in state], dtype=torch.float64)
    got = run(method, COUPLED.f, COUPLED.initial(), COUPLED.t_span, registry, steps=3).y[-1]
    off = distance(got, exact)
    return off < 1e-11, f"three steps agree with {DIGITS}-digit arithmetic to {off:.1e}"


def _counts(method: ButcherTableau, registry: Registry) -> Verdict:
    seen, kept = [], True
    for way, options in ways(method).items():
        f = Observed(family)
        claimed = run(method, f, family_state(0.0), SPAN, registry, **options).stats.nfe
        kept &= claimed == f.calls
        seen.append(f"{way}: {claimed} claimed, {f.calls} counted")
    return kept, "; ".join(seen)


def _stays_inside(method: ButcherTableau, registry: Registry) -> Verdict:
    """Looks both ways in time, with ends that no float grid hits by chance."""
    outside = []
    for way, options in ways(method).items():
        for t_span in ((0.1, 0.1 + 1 / 3), (0.1 + 1 / 3, 0.1)):
            f = Observed(family)
            solution = run(method, f, family_state(t_span[0]), t_span, registry, **options)
            inside = min(t_span) <= min(f.times) and max(f.times) <= max(t_span)
            if not (inside and solution.t_reached == t_span[1] and solution.status is Status.OK):
                outside.append(f"{way} from {t_span[0]:.3g} to {t_span[1]:.3g}: {solution.sentence}")
    return not outside, "; ".join(
        outside
    ) or "lands on t1 and calls f within [t0, t1] only, either way in time"


def _runs_backwards(method: ButcherTableau, registry: Registry) -> Verdict:
    """Running y' = f(t, y) down in t is running y' = -f(-s, y) up in s = -t: the same numbers, to round-off."""
    off = 0.0
    for options in ways(method).values():
        y0, (t0, t1) = family_state(SPAN[1]), SPAN
        down = run(method, family, y0, (t1, t0), registry, **options)
        up = run(method, lambda s, y: -family(-s, y), y0, (-t1, -t0), registry, **options)
        off = max(off, distance(down.y[-1], up.y[-1]))
    return off < 1e-12, f"backwards equals the mirrored problem to {off:.1e}"


def _keeps_dtype(method: ButcherTableau, registry: Registry) -> Verdict:
    wrong, off = [], 0.0
    for way, options in ways(method).items():
        states = {}
        for dtype in (torch.float32, torch.float64):
            f = Observed(family)
            states[dtype] = run(method, f, family_state(0.0).to(dtype), SPAN, registry, **options).y[-1]
            wrong += [
                f"{way}: {seen} in a {dtype} solve"
                for seen in f.dtypes | {states[dtype].dtype}
                if seen != dtype
            ]
        off = max(off, distance(states[torch.float32].double(), states[torch.float64]))
    return not wrong and off < 1e-3, "; ".join(
        wrong
    ) or f"float32 and float64 stay what they are, {off:.1e} apart"


def _repeats(method: ButcherTableau, registry: Registry) -> Verdict:
    for way, options in ways(method).items():
        first, second = (run(method, family, family_state(0.0), SPAN, registry, **options) for _ in range(2))
        if not torch.equal(first.y, second.y) or first.stats != second.stats:
            return False, f"{way}: two solves of the same problem differ"
    return True, "two solves of the same problem agree bit by bit"


def _gradient(method: ButcherTableau, registry: Registry) -> Verdict:
    """Step sizes take no part in the gradient, so an adaptive solve is compared along its own replayed steps."""
    net, worst = Net(), 0.0
    for options in ways(method).values():
        solution = run(method, net.f, net.y0, (0.0, 1.0), registry, **options)
        (gradient,) = torch.autograd.grad(net.loss(solution.y[-1]), [net.weights])
        claimed = float((gradient * net.direction).sum())
        again = partial(run, method, net.f, net.y0, (0.0, 1.0), registry, controller=replay(solution.steps))
        seen = net.difference_quotient(again)
        worst = max(worst, abs(claimed - seen) / abs(seen))
    return worst < 1e-6, f"differs from finite differences by {worst:.1e}, relative"


class Net:
    """A small network as f, with a loss of the end state and a direction to move its weights in."""

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(0)
        self.y0 = torch.randn(2, 3, generator=random, dtype=torch.float64)
        self.weights = torch.randn(3, 3, generator=random, dtype=torch.float64).requires_grad_()
        self.direction = torch.randn(3, 3, generator=random, dtype=torch.float64)

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        """One non-autonomous layer."""
        return torch.tanh(y @ self.weights + t)

    def loss(self, y: Tensor) -> Tensor:
        """Return a number that every component moves."""
        return y.sin().sum()

    def difference_quotient(self, solve: Callable[[], Solution], eps: float = 1e-5) -> float:
        """Return the central difference of the loss along the direction."""
        losses = []
        with torch.no_grad():
            for sign in (1, -1):
                self.weights.add_(self.direction, alpha=sign * eps)
                losses.append(float(self.loss(solve().y[-1])))
                self.weights.sub_(self.direction, alpha=sign * eps)
        return (losses[0] - losses[1]) / (2 * eps)


def _adaptive(method: Any) -> bool:
    return method.adaptive


METHOD_PROMISES = (
    Promise("order conditions hold", _order_conditions),
    Promise("embedded order conditions hold", _embedded_conditions, _adaptive),
    Promise("a step is the tableau's", _steps_of_the_tableau),
    Promise("observed order is the order", observed_order),
    Promise("error estimate shrinks as claimed", observed_estimate, _adaptive),
    Promise("NFE claimed is f calls counted", _counts),
    Promise("stays inside and lands on t1", _stays_inside),
    Promise("runs backwards in time", _runs_backwards),
    Promise("keeps the dtype", _keeps_dtype),
    Promise("gradient is that of the computed map", _gradient),
    Promise("deterministic", _repeats),
)


def check_method(method: ButcherTableau, registry: Registry | None = None) -> list[Check]:
    """Return one check per promise; the engine and controller it runs with come from ``registry``."""
    return check_all(METHOD_PROMISES, method, registry or default())
