"""A latent ODE: a series is the image of a curve, and the curve the solution of an ODE that its start decides."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.networks.observed import Observed, packed, picked
from rkbench.solver import Solver


class LatentField(nn.Module):
    """f(t, z) = W₃ σ(W₂ σ(W₁ z)) with σ = ELU, as the public program of Chen et al. (2018) has it."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.ELU(),
            nn.Linear(hidden, hidden),
            nn.ELU(),
            nn.Linear(hidden, latent),
        )

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """Return dz/dt, like ``z`` ``[batch, latent]``."""
        return self.layers(z)


class LatentODE(nn.Module):
    """A variational autoencoder whose latent state moves by an ODE (Chen et al. 2018, arXiv:1806.07366, section 5).

    Each series has times of its own, and its states are wanted at them: a batch is solved over spans and output times
    that differ from sample to sample. Times count from that of the latent state's start, 0, and rise.

    Args:
        n: numbers in an observation.
        latent: numbers in a latent state.
        hidden: width of f and of the decoder.
        encoder: width of the recurrent encoder.
        solver: how the latent state is followed.
        noise: standard deviation of an observation.
        learn_noise: whether that is only where it starts, and is learnt.
    """

    def __init__(
        self,
        n: int,
        latent: int,
        hidden: int,
        encoder: int,
        solver: Solver | None,
        *,
        noise: float,
        learn_noise: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = nn.GRU(2 * n + 1, encoder, batch_first=True)
        self.start = nn.Linear(encoder, 2 * latent)
        self.block = ODEBlock(LatentField(latent, hidden), solver=solver)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, n))
        self.log_noise = nn.Parameter(torch.tensor(math.log(noise)), requires_grad=learn_noise)

    def infer(self, given: Observed) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the latent state at time 0, ``[batch, latent]`` each.

        The encoder reads back in time. A series that ends before its batch does is read from its own end: padding comes
        after its start, where nothing is looked at.
        """
        t, x, seen = given = packed(given)
        waits = torch.diff(t, dim=1, append=t[:, -1:])
        last = given.counts[:, None] - 1
        back = (last - torch.arange(t.shape[1], device=t.device)).clamp(min=0)
        states, _ = self.encoder(picked(torch.cat((x, seen.to(x.dtype), waits[..., None]), -1), back))
        return self.start(picked(states, last)[:, 0]).chunk(2, -1)

    def follow(self, z0: Tensor, t: Tensor) -> Tensor:
        """Return what would be observed at rising times ``[batch, times]``: ``[batch, times, n]``."""
        curve = self.block(z0, (0.0, t[:, -1]), t.T.unbind())
        return self.decoder(curve).transpose(0, 1)

    def loss(self, given: Observed, known: Observed) -> Tensor:
        """Return the negative evidence lower bound of a series, in nats, the mean over the batch.

        Args:
            given: what the encoder reads.
            known: what is to be explained.
        """
        mean, log_variance = self.infer(given)
        t, x, seen = packed(known)
        z0 = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        off = (x - self.follow(z0, t)) * (-self.log_noise).exp()
        surprise = torch.where(seen, off.square() / 2 + self.log_noise + math.log(2 * math.pi) / 2, 0.0)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
        return (surprise.sum((1, 2)) + divergence).mean()

    def foretell(self, given: Observed, t: Tensor) -> Tensor:
        """Return the series at rising times ``[batch, times]``, from the likeliest start."""
        return self.follow(self.infer(given)[0], t)
