"""Continuous normalizing flows: a density carried by an ODE, and what the carrying does to its logarithm.

Along y' = f(t, y) the logarithm of the density falls by the divergence of f (Chen et al. 2018, arXiv:1806.07366, section
4): exactly, by the trace of the Jacobian, or in the mean, by Hutchinson's estimate εᵀ(∂f/∂y)ε with random signs ε
(Grathwohl et al. 2019, arXiv:1810.01367).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.networks.normal import normal_surprise
from rkbench.solver import Solver

TRACES = ("exact", "hutchinson")


class Carried(nn.Module):
    """The right-hand side for samples with what becomes of their density: dy/dt = f, dl/dt = -div f.

    A state is ``[batch, n + 1]``, y and l; or ``[batch, 2 n + 1]``, with the signs of Hutchinson's estimate behind them. They
    stay what they are, so each sample has its own wherever an engine takes it, and the same ones all the way.

    Args:
        f: ``f(t, y, signs)`` returns f and its divergence, as `TimeField` does.
        n: numbers in a sample.
    """

    def __init__(self, f: nn.Module, n: int) -> None:
        super().__init__()
        self.f, self.n = f, n

    def forward(self, t: Tensor, state: Tensor) -> Tensor:
        """Return the derivative of the state, shaped like it."""
        y, signs = state[:, : self.n], state[:, self.n + 1 :]
        estimated = signs.shape[1] > 0
        velocity, divergence = self.f(t, y, signs if estimated else None)
        rest = (torch.zeros_like(signs),) if estimated else ()
        return torch.cat((velocity, -divergence[:, None], *rest), 1)


class Flow(nn.Module):
    """A density on ``n`` numbers: that of normal ones, carried from t = 1, where data are, to t = 0 and back.

    Args:
        f: of the samples alone, see `Carried`.
        n: numbers in a sample.
        solver: how they are carried.
        trace: how the divergence is found in training, one of `TRACES`; judged it is exact.
    """

    def __init__(self, f: nn.Module, n: int, solver: Solver, trace: str = "exact") -> None:
        super().__init__()
        self.n, self.trace = n, trace
        self.block = ODEBlock(Carried(f, n), solver=solver, t_span=(1.0, 0.0))

    def surprise(self, x: Tensor) -> Tensor:
        """Return the negative logarithm of the density at samples ``[batch, n]``, in nats, ``[batch]``."""
        start = self._start(x)
        if self.training and self.trace == "hutchinson":
            start = torch.cat((start, torch.randint_like(x, 2) * 2 - 1), 1)
        end = self.block(start)
        # The volume grew by exp(l) on the way from the data.
        return normal_surprise(end[:, : self.n]) + end[:, self.n]

    def round_trip(self, x: Tensor) -> Tensor:
        """Return samples as they come back from where the flow brought them, ``[batch, n]``.

        How far they are from themselves is what the solver lost. On equal steps of h that falls as h^p with a method of
        odd order p, and as h^(p + 1) with one of even order, whose leading error has the opposite sign on the way back.
        """
        there = self.block(self._start(x))
        return self.block(there, (0.0, 1.0))[:, : self.n]

    def _start(self, x: Tensor) -> Tensor:
        return torch.cat((x, x.new_zeros(len(x), 1)), 1)
