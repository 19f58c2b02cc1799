"""A latent ODE: a series is the image of a curve, and the curve the solution of an ODE that its start decides."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
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
    that differ from sample to sample.

    Args:
        n: numbers in an observation.
        latent: numbers in a latent state.
        hidden: width of f and of the decoder.
        encoder: width of the recurrent encoder.
        solver: how the latent state is followed.
        noise: standard deviation of an observation.
    """

    def __init__(
        self, n: int, latent: int, hidden: int, encoder: int, solver: Solver, *, noise: float
    ) -> None:
        super().__init__()
        self.encoder = nn.GRU(n + 1, encoder, batch_first=True)
        self.start = nn.Linear(encoder, 2 * latent)
        self.block = ODEBlock(LatentField(latent, hidden), solver=solver)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, n))
        self.noise = noise

    def infer(self, t: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the latent state at each series' first time.

        Args:
            t: ``[batch, observed]``, rising.
            x: ``[batch, observed, n]``.
        """
        waits = torch.diff(t, dim=1, append=t[:, -1:])
        _, state = self.encoder(torch.cat((x, waits[..., None]), -1).flip(1))
        return self.start(state[0]).chunk(2, -1)

    def follow(self, z0: Tensor, t: Tensor) -> Tensor:
        """Return what would be observed at times ``[batch, times]``, counted from that of ``z0``: ``[batch, times, n]``."""
        curve = self.block(z0, (0.0, t[:, -1]), t.T.unbind())
        return self.decoder(curve).transpose(0, 1)

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        """Return the negative evidence lower bound of a series, in nats, the mean over the batch."""
        mean, log_variance = self.infer(t, x)
        z0 = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        off = (x - self.follow(z0, t)) / self.noise
        surprise = (off.square() / 2 + math.log(self.noise) + math.log(2 * math.pi) / 2).sum((1, 2))
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
        return (surprise + divergence).mean()

    def foretell(self, t: Tensor, x: Tensor, t_later: Tensor) -> Tensor:
        """Return the series at later times, from the likeliest start."""
        return self.follow(self.infer(t, x)[0], t_later)
