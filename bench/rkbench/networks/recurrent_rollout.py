"""A recurrent network in the place of dynamics: it foretells state after state, each from the one before."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RecurrentRollout(nn.Module):
    """A state -> those at later times, by a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078).

    It reads a state and the time until the next, and adds to the state what its memory makes of them; from there on it
    reads what it has foretold itself, in training, too.

    Args:
        n: numbers in a state.
        hidden: numbers in its memory.
        rate: observations in a unit of time, whose inverse the network takes for its unit.
    """

    def __init__(self, n: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.cell = nn.GRUCell(n + 1, hidden)
        self.reader = nn.Linear(hidden, n)
        self.rate = rate

    def forward(self, y0: Tensor, t: Tensor) -> Tensor:
        """Return the states ``[batch, times, n]`` at times ``[batch, times]`` after that of ``y0`` ``[batch, n]``."""
        waits = self.rate * torch.diff(t, dim=1, prepend=torch.zeros_like(t[:, :1]))
        y, memory, found = y0, y0.new_zeros(len(y0), self.cell.hidden_size), []
        for wait in waits.split(1, 1):
            memory = self.cell(torch.cat((y, wait), 1), memory)
            y = y + self.reader(memory)
            found.append(y)
        return torch.stack(found, 1)
