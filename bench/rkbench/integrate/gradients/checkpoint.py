"""Keep the states between the steps, and compute the stages of a step again when its gradient is due.

The gradient is bit by bit that of backprop, because torch keeps the graph of the first pass and only drops the
tensors in it (Gholami et al. 2019, arXiv:1902.10298; Zhuang et al. 2020, arXiv:2006.02493). Random numbers are
drawn again as they were, and the buffers of a module (running statistics, say) are not updated a second time.
A step keeps one state, two where its first slope comes from the step before, and the state of the random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor
from torch.utils.checkpoint import checkpoint, noop_context_fn, set_checkpoint_early_stop

from rkbench.integrate.gradients.buffers import buffers_of, unchanged
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes, take_step

Contexts = Callable[[], tuple[AbstractContextManager, AbstractContextManager]]


def checkpoint_road(f: Callable[..., Any]) -> Road:
    """Return the road for one solve with ``f``."""
    contexts = _contexts(f)

    def step(
        scheme: Scheme,
        f: Callable[[Tensor, Tensor], Tensor],
        times: Mapping[int, Tensor],
        y: Tensor,
        h: float,
        k: Slopes,
    ) -> tuple[Tensor, Slopes]:
        if scheme.error and scheme.starts_at_t and 0 not in k:
            # A retry keeps this slope, so it must not hang on the step that was rejected.
            k = {0: _recomputable(f, times[0], y, contexts=contexts)}
        known, given = tuple(k), tuple(k.values())

        def stages(y: Tensor, *given: Tensor) -> tuple[Tensor, Slopes]:
            return take_step(scheme, f, times, y, h, dict(zip(known, given, strict=True)))

        return _recomputable(stages, y, *given, contexts=contexts)

    return Road(step, recomputed)


def recomputed(scheme: Scheme, steps: int) -> int:
    """Return the evaluations of f that the backward pass adds: those of the forward pass in accepted steps.

    Only the first slope of an adaptive solve is kept with all that led to it: it is there before any step.
    """
    carried = steps - 1 if scheme.fsal else 0
    kept = 1 if scheme.error and scheme.starts_at_t else 0
    return steps * len(scheme.stages) - carried - kept


def _recomputable(function: Callable[..., Any], *inputs: Tensor, contexts: Contexts) -> Any:
    """Return ``function(*inputs)``, of which only the inputs are kept for the backward pass."""
    # Without early stop f is left by its end and not by an exception, and all calls of f are whole ones.
    with set_checkpoint_early_stop(False):
        return checkpoint(function, *inputs, use_reentrant=False, context_fn=contexts)


def _contexts(f: Callable[..., Any]) -> Contexts:
    """Return what the first and the second computation run in."""
    buffers = buffers_of(f)
    if not buffers:
        return noop_context_fn
    return lambda: (nullcontext(), unchanged(buffers))
