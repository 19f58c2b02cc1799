"""Gated recurrent units that read series at irregular times: told the time that has passed, or forgetting while it does."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rkbench.networks.observed import Observed, picked


class Memory(NamedTuple):
    """What is known after an observation.

    Attributes:
        state: of the unit, ``[…, hidden]``.
        last: the last value seen of each number, ``[…, n]``; its mean, 0, before the first.
        since: the time since then, ``[…, n]``.
    """

    state: Tensor
    last: Tensor
    since: Tensor

    def at(self, places: Tensor) -> Memory:
        """Return the memories ``[batch, times, …]`` of each series at places ``[batch, wanted]`` of its own."""
        return Memory(*(picked(part, places) for part in self))


class RNNDelta(nn.Module):
    """A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) that is told the time since the observation before.

    Its input is the observation, 0 where nothing was seen, the mask of what was, and that time: 2 n + 1 numbers.

    Args:
        n: numbers in an observation; their mean over the data is to be 0.
        hidden: width of the state.
        pace: the usual time between observations, in whose units times are read.
    """

    def __init__(self, n: int, hidden: int, *, pace: float) -> None:
        super().__init__()
        self.cell = nn.GRUCell(self._inputs(n), hidden)
        self.n, self.pace = n, pace

    @staticmethod
    def _inputs(n: int) -> int:
        return 2 * n + 1

    def step(self, memory: Memory, x: Tensor, seen: Tensor, wait: Tensor) -> Memory:
        """Return the memory after an observation ``[…, n]``, of which ``seen`` was seen, the time ``wait`` ``[…]`` later."""
        wait = wait[..., None] / self.pace
        since = memory.since + wait
        inputs, left = self._prepared(memory.last, since, x, seen, wait)
        state = left * memory.state
        state = self.cell(inputs.flatten(0, -2), state.flatten(0, -2)).view_as(state)
        return Memory(state, torch.where(seen, x, memory.last), torch.where(seen, 0.0, since))

    def _prepared(
        self, last: Tensor, since: Tensor, x: Tensor, seen: Tensor, wait: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what the cell is given, and the share of its state that is left by then."""
        return torch.cat((torch.where(seen, x, 0.0), seen.to(x.dtype), wait), -1), torch.ones_like(wait)

    def ahead(self, memory: Memory, wait: Tensor) -> Tensor:
        """Return the state the time ``wait`` later, ``[…, hidden]``, nothing having been seen."""
        nothing = torch.zeros_like(memory.last)
        return self.step(memory, nothing, nothing.bool(), wait).state

    def read(self, observed: Observed) -> Memory:
        """Return the memory after each observation, ``[batch, times, …]``; nothing depends on padding after it.

        As `step` by step, but all that does not depend on the state is done at once.
        """
        t, x, seen = observed
        places = torch.arange(t.shape[1], device=t.device)[:, None]
        latest = torch.where(seen, places, -1).cummax(1).values  # where each number was last seen
        last = torch.where(latest >= 0, x.gather(1, latest.clamp(min=0)), 0.0)
        times = t[..., None].expand_as(x)
        since = (times - times.gather(1, latest.clamp(min=0))) / self.pace
        waits = torch.diff(t, dim=1, prepend=t[:, :1])[..., None] / self.pace
        before = [nn.functional.pad(after[:, :-1], (0, 0, 1, 0)) for after in (last, since)]
        prepared = self._prepared(before[0], before[1] + waits, x, seen, waits)
        state, states = x.new_zeros(len(x), self.cell.hidden_size), []
        for inputs, left in zip(*(part.unbind(1) for part in prepared), strict=True):
            state = self.cell(inputs, left * state)
            states.append(state)
        return Memory(torch.stack(states, 1), last, since)


class GRUD(RNNDelta):
    """The GRU-D of Che et al. (2018, arXiv:1606.01865): what was seen fades towards its mean, and the state towards 0.

    What is not seen is taken for γ last, and the state before it for γ' state, with γ = exp(-max(0, w since + b)) for
    each number, and γ' likewise from the times since all of them were seen.
    """

    def __init__(self, n: int, hidden: int, *, pace: float) -> None:
        super().__init__(n, hidden, pace=pace)
        # Above 0, where the rectifier passes a gradient.
        self.fading = nn.Parameter(torch.tensor([[0.1], [0.0]]).repeat(1, n))
        self.forgetting = nn.Linear(n, hidden)

    @staticmethod
    def _inputs(n: int) -> int:
        return 2 * n

    def decays(self, since: Tensor) -> tuple[Tensor, Tensor]:
        """Return the shares left of values ``[…, n]`` and of the state ``[…, hidden]``, both in (0, 1]."""
        weight, bias = self.fading
        exponents = weight * since + bias, self.forgetting(since)
        values, state = (torch.exp(-torch.relu(exponent)) for exponent in exponents)
        return values, state

    def _prepared(
        self, last: Tensor, since: Tensor, x: Tensor, seen: Tensor, wait: Tensor
    ) -> tuple[Tensor, Tensor]:
        values, left = self.decays(since)
        return torch.cat((torch.where(seen, x, values * last), seen.to(x.dtype)), -1), left


UNITS: dict[str, type[RNNDelta]] = {"rnn": RNNDelta, "gru_d": GRUD}
"""Name -> unit."""
