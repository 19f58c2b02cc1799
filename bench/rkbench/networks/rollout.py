"""Learnt dynamics: an f that is a perceptron of the state, followed to a series of times."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.solver import Solver


class StateField(nn.Module):
    """f(t, y) = a perceptron of φ(y) with tanh between its layers; it does not depend on t.

    Args:
        n: numbers in a state.
        width: of the hidden layers.
        depth: hidden layers.
        cubed: whether φ(y) = y³, elementwise, as the spiral of the public demonstration of Chen et al. (2018) has it;
            else φ(y) = y.
    """

    def __init__(self, n: int, width: int, depth: int = 1, *, cubed: bool = False) -> None:
        super().__init__()
        sizes = [n, *[width] * depth]
        layers = [
            layer for pair in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(*pair), nn.Tanh())
        ]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], n))
        self.cubed = cubed

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, like ``y`` ``[batch, n]``."""
        return self.layers(y**3 if self.cubed else y)


class Rollout(nn.Module):
    """y(t0) -> y at times, ``[batch, times, n]``.

    Args:
        f: the dynamics.
        times: from t0 on, which is the first; rising.
        solver: how.
    """

    def __init__(self, f: nn.Module, times: Sequence[float], solver: Solver) -> None:
        super().__init__()
        self.times = tuple(times)
        self.block = ODEBlock(f, solver=solver, t_span=(self.times[0], self.times[-1]))

    def forward(self, y0: Tensor) -> Tensor:
        """Return the states after ``y0`` ``[batch, n]``, that one left out."""
        return self.block(y0, None, self.times[1:]).transpose(0, 1)


class IrregularRollout(nn.Module):
    """y(0) -> y at times that differ from sample to sample, ``[batch, times, n]``.

    Each sample is solved over a span of its own, up to the last of its times; the others are read off its dense output.

    Args:
        f: the dynamics.
        solver: how.
    """

    def __init__(self, f: nn.Module, solver: Solver) -> None:
        super().__init__()
        self.block = ODEBlock(f, solver=solver)

    def forward(self, y0: Tensor, t: Tensor) -> Tensor:
        """Return the states at times ``[batch, times]``, above 0 and rising, after that of ``y0`` ``[batch, n]``."""
        return self.block(y0, (0.0, t[:, -1]), t.T.unbind()).transpose(0, 1)
