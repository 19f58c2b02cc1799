"""What the series measure: a few solvers and the slides' network, pinned by name."""

SOLVERS = {
    "euler x10": {"method": "euler", "steps": 10},
    "rk4 x10": {"method": "rk4", "steps": 10},
    "bosh3 1e-3": {"method": "bosh3", "rtol": 1e-3, "atol": 1e-6},
    "dopri5 1e-3": {"method": "dopri5", "rtol": 1e-3, "atol": 1e-6},
    "tsit5 1e-6": {"method": "tsit5", "rtol": 1e-6, "atol": 1e-9},
}

PIXELS, CLASSES, BATCH = 64, 10, 128


class Timed:
    """How a time is sampled: ten samples a commit, because with six against six asv never sees a difference.

    ``version`` is fixed: left to asv it would change with every edit, and the history would be lost.
    """

    version = "1"
    rounds = 2
    repeat = 5
    warmup_time = 0.2


def network(solver: str):
    """Return the slides' network, tanh ODE block in 64 dimensions and classifier, always with equal weights."""
    import torch

    from rkbench import ODEBlock
    from rkbench.networks.tanh import TanhField

    torch.manual_seed(0)
    return torch.nn.Sequential(
        ODEBlock(TanhField(PIXELS), **SOLVERS[solver]), torch.nn.Linear(PIXELS, CLASSES)
    )


def batch():
    """Return inputs ``[128, 64]`` and labels ``[128]``, always the same."""
    import torch

    generator = torch.Generator().manual_seed(1)
    x = torch.randn(BATCH, PIXELS, generator=generator)
    return x, torch.randint(CLASSES, (BATCH,), generator=generator)
