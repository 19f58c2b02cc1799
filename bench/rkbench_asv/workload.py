"""What the series measure: a few solvers and the slides' network, pinned by name; further methods if asked for.

``RKBENCH_ASV_METHODS="mine, mine 1e-3"`` adds methods of plugins that are installed beside asv: NAME takes 10
equal steps, ``NAME x20`` takes 20, ``NAME 1e-3`` adapts to that relative tolerance.
"""

import os

VARIABLE = "RKBENCH_ASV_METHODS"


def read(label: str) -> dict:
    """Return the options of a solver from its label; see above."""
    method, _, how = label.partition(" ")
    if not how or how.startswith("x"):
        return {"method": method, "steps": int(how[1:] or 10)}
    return {"method": method, "rtol": float(how), "atol": float(how) / 1000}


MORE = [" ".join(label.split()) for label in os.environ.get(VARIABLE, "").split(",") if label.strip()]

SOLVERS = {
    label: read(label) for label in ["euler x10", "rk4 x10", "bosh3 1e-3", "dopri5 1e-3", "tsit5 1e-6", *MORE]
}
"""Of the series that cost one process in all."""

TIMED = ["euler x10", "rk4 x10", "dopri5 1e-3", *MORE]
"""Of the series that cost a process per sample or so."""

PIXELS, CLASSES, BATCH = 64, 10, 128


class Timed:
    """How a time is sampled: ten samples a commit, because with six against six asv never sees a difference.

    ``version`` is fixed: left to asv it would change with every edit, and the history would be lost.
    """

    version = "1"
    rounds = 2
    repeat = 5
    warmup_time = 0.2


def network(solver: str, **options):
    """Return the slides' network, tanh ODE block in 64 dimensions and classifier, always with equal weights."""
    import torch

    from rkbench import ODEBlock
    from rkbench.networks.tanh import TanhField

    torch.manual_seed(0)
    return torch.nn.Sequential(
        ODEBlock(TanhField(PIXELS), **SOLVERS[solver], **options), torch.nn.Linear(PIXELS, CLASSES)
    )


def batch():
    """Return inputs ``[128, 64]`` and labels ``[128]``, always the same."""
    import torch

    generator = torch.Generator().manual_seed(1)
    x = torch.randn(BATCH, PIXELS, generator=generator)
    return x, torch.randint(CLASSES, (BATCH,), generator=generator)
