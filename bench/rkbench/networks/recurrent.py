"""Recurrent networks for irregular series: told the time that has passed, or forgetting while it does."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """A gated recurrent unit that foretells the next observation, given the time until then (Cho et al. 2014).

    Args:
        n: numbers in an observation.
        hidden: width of the state.
        decay: whether the state decays between observations, as in GRU-D (Che et al. 2018, arXiv:1606.01865), at rates
            that are learnt.
    """

    def __init__(self, n: int, hidden: int, *, decay: bool) -> None:
        super().__init__()
        self.cell = nn.GRUCell(n + 1, hidden)
        self.decay = nn.Linear(1, hidden) if decay else None
        self.reader = nn.Linear(hidden, n)

    def _step(self, state: Tensor, x: Tensor, wait: Tensor) -> tuple[Tensor, Tensor]:
        """Return the state after an observation, and what comes next after the time ``wait`` ``[batch, 1]``."""
        if self.decay is not None:
            state = state * torch.exp(-torch.relu(self.decay(wait)))
        state = self.cell(torch.cat((x, wait), 1), state)
        return state, self.reader(state)

    def _read(self, t: Tensor, x: Tensor, until: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Read observations; return the state, and after each what was expected next, at last at ``until`` ``[batch]``."""
        waits = torch.cat((t[:, 1:], until[:, None]), 1) - t
        state, expected = x.new_zeros(len(x), self.cell.hidden_size), []
        for seen, wait in zip(x.unbind(1), waits.unbind(1), strict=True):
            state, after = self._step(state, seen, wait[:, None])
            expected.append(after)
        return state, expected

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        """Return the mean square error of each observation, foretold from those before it."""
        _, expected = self._read(t, x, t[:, -1])
        return (torch.stack(expected[:-1], 1) - x[:, 1:]).square().mean()

    def foretell(self, t: Tensor, x: Tensor, t_later: Tensor) -> Tensor:
        """Return the series at later times ``[batch, times, n]``, reading what it has itself foretold."""
        state, expected = self._read(t, x, t_later[:, 0])
        found = [expected[-1]]
        for wait in torch.diff(t_later, dim=1).unbind(1):
            state, after = self._step(state, found[-1], wait[:, None])
            found.append(after)
        return torch.stack(found, 1)
