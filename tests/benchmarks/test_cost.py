"""What a solve and a training step cost beside the floor: the same number of bare evaluations of f, chained.

``pytest tests/benchmarks --benchmark-only --benchmark-group-by=group`` prints the times; without the flags each
runs once, as a test. Times of one group are comparable within one run only, and not below a few per cent.
"""

import pytest
import torch

from rkbench import ODEBlock
from rkbench.networks.convolutional import ConvField
from rkbench.networks.tanh import TanhField

SOLVERS = {
    "euler_x10": {"method": "euler", "steps": 10},
    "rk4_x10": {"method": "rk4", "steps": 10},
    "dopri5_1e-1": {"method": "dopri5", "rtol": 1e-1, "atol": 1e-1},
    "dopri5_1e-3": {"method": "dopri5", "rtol": 1e-3, "atol": 1e-3},
}
WIDTH, BATCH, CLASSES = 64, 128, 10
AT_SIZE = (BATCH, 64, 6, 6)


class Chain(torch.nn.Module):
    """The floor: y <- f(t, y), as often as the solver evaluates f."""

    def __init__(self, f, times):
        super().__init__()
        self.f, self.times = f, times

    def forward(self, y):
        t = torch.zeros(())
        for _ in range(self.times):
            y = self.f(t, y)
        return y


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def layer(solver, kind):
    """Return the ODE block, or the chain of as many evaluations of its f."""
    torch.manual_seed(0)
    block = ODEBlock(TanhField(WIDTH), **SOLVERS[solver])
    if kind == "rkbench":
        return block
    block(inputs())
    return Chain(block.f, block.last_stats.nfe)


def inputs():
    return torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", ["rkbench", "floor"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_forward_solve(benchmark, solver, kind):
    benchmark.group = f"forward solve, {solver}"
    block, x = layer(solver, kind), inputs()
    with torch.no_grad():
        y = benchmark.pedantic(block, args=(x,), rounds=50, warmup_rounds=5)
    assert y.shape == (BATCH, WIDTH)


@pytest.mark.parametrize("kind", ["rkbench", "floor"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_training_step(benchmark, solver, kind):
    benchmark.group = f"training step, {solver}"
    network = torch.nn.Sequential(layer(solver, kind), torch.nn.Linear(WIDTH, CLASSES))
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    x, labels = inputs(), torch.arange(BATCH) % CLASSES

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    assert benchmark.pedantic(step, rounds=50, warmup_rounds=5).isfinite()


@pytest.mark.parametrize("kind", ["rkbench", "floor"])
def test_a_training_step_of_convolutions(benchmark, kind):
    """f of the MNIST ODE-net at full size: what the engine does must vanish beside it."""
    benchmark.group = "forward and backward, rk4_x2, convolutions"
    torch.manual_seed(0)
    f = ConvField(AT_SIZE[1])
    layer = ODEBlock(f, method="rk4", steps=2) if kind == "rkbench" else Chain(f, 8)
    x = torch.randn(AT_SIZE, generator=torch.Generator().manual_seed(1)).requires_grad_()
    wanted = (x, *layer.parameters())
    gradients = benchmark.pedantic(
        lambda: torch.autograd.grad(layer(x).square().sum(), wanted), rounds=10, warmup_rounds=1
    )
    assert all(gradient.isfinite().all() for gradient in gradients)
