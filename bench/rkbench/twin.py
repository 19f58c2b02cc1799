"""f in two frameworks: what a task offers to an engine whose library is not torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

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
