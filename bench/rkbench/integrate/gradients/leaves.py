"""Which tensors f is differentiated by: found, however f holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def parameters_of(f: Callable[..., Any], k: Tensor) -> tuple[Tensor, ...]:
    """Return the parameters of ``f``, each once.

    They are those that a module registers, and all leaves of the graph of ``k``, one value of f. So a plain
    function may close over whatever it likes, tensors computed from parameters included. Only what f uses neither
    as a registered parameter nor in that one evaluation would be missed.
    """
    registered = f.parameters() if isinstance(f, nn.Module) else ()
    found = {id(p): p for p in registered if p.requires_grad}
    found |= {id(p): p for p in _leaves(k)}
    return tuple(found.values())


def _leaves(k: Tensor) -> list[Tensor]:
    """Return the leaves of the graph of ``k``."""
    found, seen, ahead = [], set(), [k.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)  # of AccumulateGrad, where a leaf ends the graph
        if isinstance(leaf, Tensor):
            found.append(leaf)
        ahead += [before for before, _ in node.next_functions]
    if k.is_leaf and k.requires_grad:  # f returned a parameter itself
        found.append(k)
    return found
