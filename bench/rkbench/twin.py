"""f in two frameworks: what a task offers to an engine whose library is not torch's; and how it is counted there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Twin(NamedTuple):
    """f written for JAX, beside f itself; what a method ``twin()`` of f returns.

    An engine compares the two once before it believes them to be one.

    Attributes:
        f: the torch function, ``f(t, y)``.
        function: ``function(t, y, *tensors)`` in terms of jax.numpy: t has no axes, and y is shaped like the state.
            The same function for every f of a kind, not one made anew: it is compiled once.
        tensors: what f takes besides t and y, such as its weights, in the order of ``function``.
    """

    f: Callable[..., Any]
    function: Callable[..., Any]
    tensors: tuple[Tensor, ...] = ()


class Tally(Protocol):
    """Where evaluations and vector-Jacobian products are added up."""

    calls: int
    vjps: int


class _Lender:
    """Remembers for whom a twin was lent last: the callbacks of a function compiled once count for it."""

    tally: Tally | None = None

    def evaluated(self) -> None:
        assert self.tally is not None
        self.tally.calls += 1

    def multiplied(self) -> None:
        assert self.tally is not None
        self.tally.vjps += 1


_lender = _Lender()


def reporting(twin: Twin, tally: Tally) -> Twin:
    """Return a twin that tells the host of every evaluation and product, until another asks; `settle` before reading."""
    _lender.tally = tally
    return twin._replace(function=_calling_back(twin.function))


def settle() -> None:
    """Wait until what JAX has to tell was told."""
    if "jax" in sys.modules:
        sys.modules["jax"].effects_barrier()


@cache
def _calling_back(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of JAX that tells the host of its evaluations and its vector-Jacobian products."""
    jax: Any = import_module("jax")

    @jax.custom_vjp
    @wraps(function)
    def counted(*arrays: Any) -> Any:
        jax.debug.callback(_lender.evaluated)
        return function(*arrays)

    def forth(*arrays: Any) -> Any:
        jax.debug.callback(_lender.evaluated)
        return jax.vjp(function, *arrays)

    def back(pull: Callable[..., Any], grad: Any) -> Any:
        jax.debug.callback(_lender.multiplied)
        return pull(grad)

    counted.defvjp(forth, back)
    return counted
