"""How much faster a training step and a solve are for the divergence in closed form: against autograd, one pass a component.

    python tests/benchmarks/divergence.py

prints the ratios of times that ``networks/field.py`` tells, medians over interleaved rounds with their quartiles: 500
samples, 32 units, 8 steps of the midpoint rule, one thread.
"""

from collections.abc import Callable
from functools import partial

import torch
from interleaved import interleaved, ratio
from torch import Tensor, nn

import rkbench
from rkbench.networks.field import TimeField

BATCH, WIDTH, STEPS, ROUNDS = 500, 32, 8, 40


class Differentiated(nn.Module):
    """The same field; its divergence by a backward pass for each component."""

    def __init__(self, field: TimeField) -> None:
        super().__init__()
        self.field = field

    def forward(self, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return f and its divergence."""
        graph = torch.is_grad_enabled()
        with torch.enable_grad():
            y = y if y.requires_grad else y.detach().requires_grad_()
            f, _ = self.field(t, y)
            parts = [
                torch.autograd.grad(f[:, i].sum(), y, create_graph=graph, retain_graph=True)[0][:, i]
                for i in range(y.shape[1])
            ]
        return f, sum(parts[1:], parts[0])


def carried(field: nn.Module, n: int):
    """Return the right-hand side for samples and the logarithm of their density."""

    def f(t: Tensor, state: Tensor) -> Tensor:
        velocity, divergence = field(t, state[:, :n])
        return torch.cat((velocity, -divergence[:, None]), 1)

    return f


def solved(field: nn.Module, n: int, start: Tensor) -> Tensor:
    """Return the samples and what became of their density at t = 1."""
    return rkbench.solve(carried(field, n), start, (0.0, 1.0), method="midpoint", steps=STEPS).y[-1]


def step(field: nn.Module, n: int, start: Tensor) -> None:
    """Take a solve forth and its gradient."""
    field.zero_grad()
    end = solved(field, n, start)
    (end[:, :n].square().sum(1) / 2 + end[:, n]).mean().backward()


def compared(n: int, work: Callable[[nn.Module, int, Tensor], object]) -> tuple[float, float, float]:
    """Return how many times as fast the closed form is at some work in ``n`` dimensions, with quartiles."""
    closed = TimeField(n, WIDTH)
    start = torch.randn(BATCH, n + 1)
    times = interleaved(
        {
            "closed": partial(work, closed, n, start),
            "autograd": partial(work, Differentiated(closed), n, start),
        },
        ROUNDS,
    )
    return ratio(times["autograd"], times["closed"])


def main() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for n in (2, 8):
        for name, work in (("training step", step), ("solve without a gradient", torch.no_grad()(solved))):
            middle, low, high = compared(n, work)
            print(f"{n} dimensions, {name}: {middle:.2f} times as fast [{low:.2f}, {high:.2f}]")


if __name__ == "__main__":
    main()
