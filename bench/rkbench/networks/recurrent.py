"""Recurrent networks for irregular series: from what came before, or from what came before and after."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rkbench.errors import UserError
from rkbench.networks.gated import UNITS
from rkbench.networks.latent import LatentODE
from rkbench.networks.observed import Observed, mean_square, packed, picked


class Forecaster(nn.Module):
    """A gated recurrent unit that foretells an observation from those before it, given the time until then.

    Args:
        unit: a name of `rkbench.networks.gated.UNITS`.
        n: numbers in an observation; their mean over the data is to be 0.
        hidden: width of the state.
        pace: the usual time between observations.
    """

    def __init__(self, unit: str, n: int, hidden: int, *, pace: float) -> None:
        super().__init__()
        self.unit = UNITS[unit](n, hidden, pace=pace)
        self.reader = nn.Linear(hidden, n)

    def loss(self, given: Observed, known: Observed) -> Tensor:
        """Return the mean square error of each known observation, foretold from those before it."""
        t, x, seen = known = packed(known)
        before = torch.arange(t.shape[1] - 1, device=t.device).expand(len(t), -1)
        expected = self.reader(self.unit.ahead(self.unit.read(known).at(before), torch.diff(t, dim=1)))
        return mean_square(expected - x[:, 1:], seen[:, 1:]).mean()

    def foretell(self, given: Observed, t: Tensor) -> Tensor:
        """Return the series at rising times ``[batch, times]`` after the last, reading what it has itself foretold."""
        given = packed(given)
        last = given.counts[:, None] - 1
        memory = self.unit.read(given).at(last)
        found = []
        for wait in torch.diff(t, dim=1, prepend=picked(given.t, last)).unbind(1):
            found.append(self.reader(self.unit.ahead(memory, wait[:, None])))
            memory = self.unit.step(
                memory, found[-1], torch.ones_like(found[-1], dtype=torch.bool), wait[:, None]
            )
        return torch.cat(found, 1)


class BothWays(nn.Module):
    """Two gated recurrent units, one forth and one back in time, that fill in what lies between two observations.

    After Schuster & Paliwal (1997, doi:10.1109/78.650093). It learns on each observation left out between its
    neighbours.

    Args:
        unit: a name of `rkbench.networks.gated.UNITS`.
        n: numbers in an observation; their mean over the data is to be 0.
        hidden: width of both states together.
        pace: the usual time between observations.
    """

    def __init__(self, unit: str, n: int, hidden: int, *, pace: float) -> None:
        super().__init__()
        self.forth = UNITS[unit](n, hidden - hidden // 2, pace=pace)
        self.back = UNITS[unit](n, hidden // 2, pace=pace)
        self.reader = nn.Linear(hidden, n)

    def loss(self, given: Observed, known: Observed) -> Tensor:
        """Return the mean square error of each known observation that has neighbours, filled in from them and beyond."""
        t, x, seen = known = packed(known)
        middle = torch.arange(1, t.shape[1] - 1, device=t.device).expand(len(t), -1)
        inside = (middle < known.counts[:, None] - 1)[..., None]
        filled = self._between(known, middle - 1, middle + 1, picked(t, middle))
        return mean_square(filled - picked(x, middle), picked(seen, middle) & inside).mean()

    def foretell(self, given: Observed, t: Tensor) -> Tensor:
        """Return the series at times ``[batch, times]`` between the first observation and the last."""
        given = packed(given)
        present = given.seen.any(-1)
        left = ((given.t[:, None] <= t[..., None]) & present[:, None]).sum(-1) - 1
        return self._between(given, left, left + 1, t)

    def _between(self, observed: Observed, left: Tensor, right: Tensor, t: Tensor) -> Tensor:
        """Return what is at times between observations ``left`` and ``right``, ``[batch, wanted]`` each."""
        last = observed.counts[:, None] - 1
        left, right = left.clamp(min=0).minimum(last), right.clamp(min=0).minimum(last)
        mirrored = packed(observed._replace(t=-observed.t))
        before = self.forth.ahead(self.forth.read(observed).at(left), t - picked(observed.t, left))
        after = self.back.ahead(self.back.read(mirrored).at(last - right), picked(observed.t, right) - t)
        return self.reader(torch.cat((before, after), -1))


ASKS: dict[str, type[Forecaster] | type[BothWays]] = {"extrapolation": Forecaster, "interpolation": BothWays}
"""What is asked -> the network that answers it."""


def matched(ask: str, unit: str, n: int, hidden: int, *, pace: float) -> Forecaster | BothWays:
    """Return the network that answers what is asked, ``hidden`` wide; for 0, about as large as a latent ODE.

    That is `LatentODE` in its usual size, and the width the one whose number of parameters is nearest.

    Raises:
        UserError: a width that is none.
    """
    if hidden and hidden < 2:
        raise UserError(
            f"hidden = {hidden} is no width; give 2 or more, or 0 for as many parameters as a latent ODE."
        )
    usual = _parameters(lambda: LatentODE(n, 4, 20, 25, None, noise=1.0))
    widths = [hidden] if hidden else range(2, 65)
    best = min(widths, key=lambda h: abs(_parameters(lambda: ASKS[ask](unit, n, h, pace=pace)) - usual))
    return ASKS[ask](unit, n, best, pace=pace)


def _parameters(build: Callable[[], nn.Module]) -> int:
    """Return how many parameters a network would have; it is not built, and draws no weights."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in build().parameters() if weight.requires_grad)
