"""Continuous normalizing flows: a density carried by an ODE, and what the carrying does to its logarithm.

Along y' = f(t, y) the logarithm of the density falls by the divergence of f (Chen et al. 2018, arXiv:1806.07366, section
4): exactly, by the trace of the Jacobian, or in the mean, by Hutchinson's estimate εᵀ(∂f/∂y)ε with random signs ε
(Grathwohl et al. 2019, arXiv:1810.01367).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver

TRACES = ("exact", "hutchinson")


class TimeField(nn.Module):
    """f(t, y): a perceptron of y and t with softplus between its layers, smooth as its divergence has to be."""

    def __init__(self, n: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n + 1, width),
            nn.Softplus(),
            nn.Linear(width, width),
            nn.Softplus(),
            nn.Linear(width, n),
        )

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, like ``y`` ``[batch, n]``."""
        time = t.expand(len(y)) if t.dim() == 0 else t.reshape(-1)
        return self.layers(torch.cat((y, time[:, None].to(y.dtype)), 1))


class WithDivergence(nn.Module):
    """The state with the logarithm of its density, ``[batch, n + 1]``: dy/dt = f, dl/dt = -div f.

    Args:
        f: the flow.
        trace: one of `TRACES`.
    """

    def __init__(self, f: nn.Module, trace: str) -> None:
        super().__init__()
        self.f, self.trace = f, trace
        self.noise: Tensor | None = None

    def forward(self, t: Tensor, state: Tensor) -> Tensor:
        """Return the derivative of state and logarithm."""
        y = state[:, :-1]
        with torch.enable_grad():
            y = y if y.requires_grad else y.detach().requires_grad_()
            velocity = self.f(t, y)
            divergence = self._divergence(velocity, y)
        if not torch.is_grad_enabled():
            velocity, divergence = velocity.detach(), divergence.detach()
        return torch.cat((velocity, -divergence[:, None]), 1)

    def _divergence(self, velocity: Tensor, y: Tensor) -> Tensor:
        if self.trace == "hutchinson" and self.noise is not None:
            (product,) = torch.autograd.grad(velocity, y, self.noise, create_graph=True)
            return (product * self.noise).sum(1)
        parts = [
            torch.autograd.grad(velocity[:, i].sum(), y, create_graph=True)[0][:, i]
            for i in range(y.shape[1])
        ]
        return torch.stack(parts).sum(0)

    def draw(self, y: Tensor) -> None:
        """Draw the signs of Hutchinson's estimate anew; they stay the same during a solve."""
        self.noise = torch.randint_like(y, 2) * 2 - 1 if self.trace == "hutchinson" else None


class Flow(nn.Module):
    """A density on ``n`` numbers: that of a normal one, carried from t = 1, where data are, to t = 0 and back.

    Args:
        n: numbers in a sample.
        width: of f's hidden layers.
        solver: how it is carried.
        trace: how the divergence is found in training; judged it is exactly.
    """

    def __init__(self, n: int, width: int, solver: Solver, trace: str = "exact") -> None:
        super().__init__()
        self.carried = WithDivergence(TimeField(n, width), trace)
        self.block = ODEBlock(self.carried, solver=solver, t_span=(1.0, 0.0))

    def surprise(self, x: Tensor) -> Tensor:
        """Return the negative logarithm of the density at samples ``[batch, n]``, in nats, ``[batch]``."""
        if self.training:
            self.carried.draw(x)
        else:
            self.carried.noise = None
        start = torch.cat((x, x.new_zeros(len(x), 1)), 1)
        end = self.block(start)
        z, growth = end[:, :-1], end[:, -1]
        # The volume grew by exp(growth) on the way from the data.
        normal = z.square().sum(1) / 2 + math.log(2 * math.pi) / 2 * z.shape[1]
        return normal + growth

    def round_trip(self, x: Tensor) -> Tensor:
        """Return samples as they come back from where the flow brought them: what the solver loses on the way."""
        self.carried.noise = None
        there = self.block(torch.cat((x, x.new_zeros(len(x), 1)), 1))
        return self.block(there, (0.0, 1.0))[:, :-1]
