"""Stacks of dense layers of one width, plain and residual: what the signal of a deep network has to come through."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from rkbench.errors import UserError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}
"""By name: slopes of at most 1/4 and of at most 1."""

INITIALIZATIONS = ("torch", "xavier")
"""How weights are drawn."""


class PlainLayer(nn.Module):
    """h ← σ(W h + b) for h ``[batch, n]``; n² + n parameters.

    Args:
        n: width.
        activation: σ, one of `ACTIVATIONS`.
        init: "torch", as its `nn.Linear` draws them: uniform, of variance 1/(3n), biases too. Or "xavier",
            uniform, of variance 1/n so that a linear layer keeps that of its input, biases 0 (Glorot & Bengio 2010,
            proceedings.mlr.press/v9/glorot10a).

    Raises:
        UserError: there is no such activation or initialisation.
    """

    def __init__(self, n: int, activation: str, init: str = "torch") -> None:
        super().__init__()
        _choose("activation", activation, ACTIVATIONS)
        _choose("init", init, INITIALIZATIONS)
        self.activation = ACTIVATIONS[activation]
        self.linear = nn.Linear(n, n)
        if init == "xavier":
            nn.init.xavier_uniform_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor) -> Tensor:
        """Return ``[batch, n]``."""
        return self.activation(self.linear(h))


class ResidualLayer(nn.Module):
    """h ← h + step · tanh(W h + b) for h ``[batch, n]``: a step of Euler's method; n² + n parameters.

    Args:
        n: width.
        step: what f counts for.
    """

    def __init__(self, n: int, step: float = 1.0) -> None:
        super().__init__()
        self.f, self.step = PlainLayer(n, "tanh"), step

    def forward(self, h: Tensor) -> Tensor:
        """Return ``[batch, n]``."""
        return h + self.step * self.f(h)


def plain_stack(n: int, depth: int, activation: str, init: str = "torch") -> nn.Sequential:
    """Return ``depth`` plain layers of width n, each with weights of its own; depth (n² + n) parameters.

    The gradient that reaches a layer is a product of one Jacobian, diag(σ') W, for each layer after it, and shrinks or
    grows with their number (Hochreiter 1991; Bengio, Simard & Frasconi 1994, doi:10.1109/72.279181).

    Raises:
        UserError: there are no layers, or no such activation or initialisation.
    """
    return nn.Sequential(*(PlainLayer(n, activation, init) for _ in _numbers(depth)))


def residual_stack(n: int, depth: int, *, scaled: bool = False) -> nn.Sequential:
    """Return ``depth`` residual layers of width n, each with weights of its own; depth (n² + n) parameters.

    Every Jacobian is that of a plain layer and the identity (He et al. 2016, arXiv:1603.05027).

    Args:
        n: width.
        depth: layers.
        scaled: whether each takes 1/depth of a step, so that all together go from t = 0 to 1, as an ODE-net does;
            else each takes a whole one.

    Raises:
        UserError: there are no layers.
    """
    return nn.Sequential(*(ResidualLayer(n, 1 / depth if scaled else 1.0) for _ in _numbers(depth)))


def _numbers(depth: int) -> range:
    if depth < 1:
        raise UserError(f"A stack has 1 or more layers, not {depth}; give depth=4, say.")
    return range(depth)


def _choose(option: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise UserError(f"There is no {option} {value!r}; choose one of: {', '.join(known)}.")
