"""Steps of a tape taken again from a kept state, and the gradient pulled back through them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rkbench.integrate.field import Field
from rkbench.integrate.gradients.schedule import Action
from rkbench.integrate.gradients.tape import Taken, Tape
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes, interpolate, take_step

Gradients = list[Tensor | None]


class State(NamedTuple):
    """What a step begins with: y, and its first slope where the step before has computed it."""

    y: Tensor
    slope: Tensor | None


def after(scheme: Scheme, y: Tensor, k: Slopes) -> State:
    """Return the state that a step to ``y`` hands to the next."""
    return State(y, k[scheme.final] if scheme.fsal else None)


class Retake:
    """The way back over a tape.

    Args:
        tape: the steps.
        f: the right-hand side.
        kept: states by their step, 0 among them; those that are no longer needed are taken out.
        parameters: what f is differentiated by.
        grad: dL/dy of the outputs, ``[times, *shape]``.
    """

    def __init__(
        self, tape: Tape, f: Field, kept: dict[int, State], parameters: Sequence[Tensor], grad: Tensor
    ) -> None:
        self._tape, self._f, self._kept, self._grad = tape, f, kept, grad
        self._parameters = tuple(parameters)
        self._now = kept[0]
        self._by_y, self._by_slope = torch.zeros_like(kept[0].y), None
        self._by_parameters: Gradients = [None] * len(self._parameters)

    def run(self, actions: Iterable[Action]) -> tuple[Tensor, Gradients]:
        """Return dL/dy0 and dL/dθ, None for a parameter that no step uses."""
        for verb, step in actions:
            match verb:
                case "restore":
                    self._now = self._kept[step]
                case "advance":
                    self._now = self._advanced(self._tape.steps[step])
                case "store":
                    self._kept[step] = self._now
                case "reverse":
                    self._reverse(self._tape.steps[step])
                case "discard":
                    del self._kept[step]
        for i in self._tape.at_start:
            self._by_y = self._by_y + self._grad[i]
        return self._by_y, self._by_parameters

    def _taken(self, step: Taken, begin: State) -> tuple[Tensor, Slopes]:
        times = self._f.stage_times(self._tape.lean, step.t, step.h)
        k = {} if begin.slope is None else {0: begin.slope}
        return take_step(self._tape.lean, self._f, times, begin.y, step.h, k)

    def _advanced(self, step: Taken) -> State:
        with torch.no_grad():
            return after(self._tape.lean, *self._taken(step, self._now))

    def _reverse(self, step: Taken) -> None:
        """Turn the gradient by what the step leads to into that by what it begins with."""
        for i in step.at_end:
            self._by_y = self._by_y + self._grad[i]
        with torch.enable_grad():
            y, slope = self._now
            begin = State(
                y.detach().requires_grad_(), None if slope is None else slope.detach().requires_grad_()
            )
            results = self._results(step, begin)
        given = [x for x in begin if x is not None]
        found = torch.autograd.grad(
            [result for result, _ in results],
            [*given, *self._parameters],
            [gradient for _, gradient in results],
            allow_unused=True,
            retain_graph=True,  # what lies before f (weights computed from other weights) is needed again
        )
        by_state, by_parameters = found[: len(given)], found[len(given) :]
        self._by_y = torch.zeros_like(begin.y) if by_state[0] is None else by_state[0]
        self._by_slope = by_state[1] if len(given) == 2 else None
        self._by_parameters = list(map(_sum, self._by_parameters, by_parameters))

    def _results(self, step: Taken, begin: State) -> list[tuple[Tensor, Tensor]]:
        """Return what the step leads to and depends on its begin, each with the gradient by it."""
        y, k = self._taken(step, begin)
        inside = [
            (interpolate(self._tape.lean, begin.y, k, step.h, fraction), self._grad[i])
            for i, fraction in step.inside
        ]
        slope = [] if self._by_slope is None else [(k[self._tape.lean.final], self._by_slope)]
        return [pair for pair in ((y, self._by_y), *slope, *inside) if pair[0].requires_grad]


def _sum(total: Tensor | None, new: Tensor | None) -> Tensor | None:
    if total is None or new is None:
        return new if total is None else total
    return total + new


def cost(tape: Tape, actions: Iterable[Action]) -> tuple[int, int]:
    """Return the evaluations of f, and the vector-Jacobian products, that `Retake` takes for these actions."""
    if tape.scheme is None:
        return 0, 0
    scheme, nfe, vjps, slope_is_used = tape.lean, 0, 0, False
    dense = {i for i, _ in scheme.dense}
    for verb, step in actions:
        given = {0} if scheme.fsal and step else set()
        if verb in ("advance", "reverse"):
            nfe += len(scheme.stages) - len(given)
        if verb == "reverse":
            results = {i for i, _ in scheme.b} | (dense if tape.steps[step].inside else set())
            used = _with_ancestors(scheme, results | ({scheme.final} if slope_is_used else set()))
            vjps += len(used - given)
            slope_is_used = bool(used & given)
    return nfe, vjps


def _with_ancestors(scheme: Scheme, wanted: set[int]) -> set[int]:
    """Return the stages ``wanted``, and all that they are computed from."""
    for stage, _, weights in reversed(scheme.stages):
        if stage in wanted:
            wanted = wanted | {earlier for earlier, _ in weights}
    return wanted
