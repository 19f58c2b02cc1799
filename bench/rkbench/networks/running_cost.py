"""A running cost of an ODE block: what its path takes is integrated along with it, and added to the training loss.

Straight and even paths are cheap to solve. Kinetic energy and the norm of the Jacobian are the regularisers of Finlay et
al. (2020, arXiv:2002.02798); in optimal control a cost of this form is the Lagrange term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.errors import UnsupportedError
from rkbench.networks.block import ODEBlock


class RunningCost(nn.Module):
    """f with kinetic · |f|² + jacobian · |εᵀ ∂f/∂y|² as the slope of one more channel, while in training.

    Squares are means over the components of a sample, so that the weights do not depend on the size of the state, and ε
    is standard normal, drawn anew for each solve: an unbiased estimate of the Frobenius norm of the Jacobian, over the
    number of components. Every product for it is one more VJP, which the harness does not count among those of the solve.

    Args:
        f: of the block.
        kinetic: weight of the kinetic energy.
        jacobian: weight of the norm of the Jacobian.
    """

    def __init__(self, f: Callable[..., Any], kinetic: float, jacobian: float) -> None:
        super().__init__()
        self.f, self.kinetic, self.jacobian = f, kinetic, jacobian
        self.noise: Tensor | None = None
        self.spent: Tensor | None = None

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, in training of ``y`` and of one channel more, along the axis after the batch."""
        if not self.training:
            return self.f(t, y)
        state, channel = y[:, :-1], y[:, -1:]
        k, rate = self._rated(t, state)
        return torch.cat((k, rate.view(-1, *[1] * (y.ndim - 1)).expand_as(channel)), 1)

    def penalty(self) -> Tensor:
        """Return the cost of the last solve, the mean over its samples, once.

        Raises:
            RuntimeError: there was no solve in training since the last time.
        """
        if self.spent is None:
            raise RuntimeError("A running cost is known after a solve in training.")
        spent, self.spent = self.spent, None
        return spent

    def _rated(self, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return f(t, y) and what a unit of time costs there, ``[batch]``."""
        if not self.jacobian:
            k = self.f(t, y)
            return k, self.kinetic * k.square().flatten(1).mean(1)
        if torch.compiler.is_compiling():
            raise UnsupportedError(
                "The norm of a Jacobian cannot be compiled with the solve; drop compile or the jacobian's weight."
            )
        graph = torch.is_grad_enabled()
        with torch.enable_grad():
            at = y if y.requires_grad else y.detach().requires_grad_()
            k = self.f(t, at)
            (product,) = torch.autograd.grad(k, at, self.noise, create_graph=graph, retain_graph=True)
        energy = self.kinetic * k.square() + self.jacobian * product.square()
        return (k, energy.flatten(1).mean(1)) if graph else (k.detach(), energy.detach().flatten(1).mean(1))


def add_running_cost(network: nn.Module, kinetic: float, jacobian: float) -> None:
    """Let every ODE block of a network bear a running cost, which `Objective` adds to the loss."""
    for block in [module for module in network.modules() if isinstance(module, ODEBlock)]:
        block.f = RunningCost(block.f, kinetic, jacobian)
        cost = block.f
        block.register_forward_pre_hook(_Widen(cost))
        block.register_forward_hook(_Narrow(cost))


class _Widen:
    """Gives the state the channel that the cost is summed up in, and the cost its noise."""

    def __init__(self, cost: RunningCost) -> None:
        self.cost = cost

    def __call__(self, block: Any, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
        if not block.training:
            return None
        (x,) = inputs
        self.cost.noise = torch.randn_like(x) if self.cost.jacobian else None
        return (torch.cat((x, torch.zeros_like(x[:, :1])), 1),)


class _Narrow:
    """Takes that channel away again, for the loss."""

    def __init__(self, cost: RunningCost) -> None:
        self.cost = cost

    def __call__(self, block: Any, inputs: Any, output: Tensor) -> Tensor | None:
        if not block.training:
            return None
        self.cost.spent = output[:, -1].mean()
        return output[:, :-1]
