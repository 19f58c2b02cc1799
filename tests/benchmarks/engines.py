"""One training step by rkbench, eager and compiled, by the libraries in use, and by bare evaluations of f.

    python tests/benchmarks/engines.py results/training_step
    python tests/benchmarks/engines.py results/training_step --network convolutional --threads 1 --rounds 20

measures them interleaved in one process and writes a JSON file, from which ``engines_page.py`` makes the page
``results/engines.md``. Libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import torch
from interleaved import BLOCK, interleaved
from torch import nn

from rkbench import ODEBlock, UserError, machine
from rkbench.networks.convolutional import ConvField
from rkbench.networks.tanh import TanhField

BATCH, CLASSES = 128, 10
DOPRI5 = {"method": "dopri5_shampine", "rtol": 1e-3, "atol": 1e-3, "controller": "i"}
SOLVERS = {
    "dopri5 rkbench": DOPRI5,
    "dopri5 rkbench compiled": DOPRI5 | {"compile": True},
    "dopri5 rkbench speculative": DOPRI5 | {"compile": True, "speculative": True},
    "dopri5 torchdiffeq": DOPRI5 | {"engine": "torchdiffeq"},
    "dopri5 torchdiffeq as shipped": DOPRI5 | {"engine": "torchdiffeq_as_shipped"},
    "dopri5 torchode": DOPRI5 | {"engine": "torchode"},
    "dopri5 torchdyn": DOPRI5 | {"engine": "torchdyn"},
    "dopri5 diffrax": DOPRI5 | {"engine": "diffrax", "gradient": "checkpoint"},
    "rk4×10 rkbench": {"method": "rk4", "steps": 10},
    "rk4×10 rkbench compiled": {"method": "rk4", "steps": 10, "compile": True},
    "rk38×10 rkbench": {"method": "rk38", "steps": 10},
    "rk38×10 torchdiffeq": {"method": "rk38", "steps": 10, "engine": "torchdiffeq"},
    "euler×10 rkbench": {"method": "euler", "steps": 10},
    "euler×10 rkbench compiled": {"method": "euler", "steps": 10, "compile": True},
    "euler×10 torchdiffeq": {"method": "euler", "steps": 10, "engine": "torchdiffeq"},
}
AT_SIZE = {
    "dopri5 rkbench": DOPRI5,
    "dopri5 torchdiffeq": DOPRI5 | {"engine": "torchdiffeq"},
    "rk4×2 rkbench": {"method": "rk4", "steps": 2},
    "rk38×2 rkbench": {"method": "rk38", "steps": 2},
    "rk38×2 torchdiffeq": {"method": "rk38", "steps": 2, "engine": "torchdiffeq"},
}


class Network(NamedTuple):
    """What is trained: f from a state of this shape, then a linear classifier.

    Attributes:
        what: in words.
        field: returns f, with new weights.
        shape: of the state of one sample.
        solvers: contender -> options of its ODE block.
        floors: contenders beside which as many bare evaluations of f run.
        learnt_before: whether layers before the block are trained, which takes a gradient to its input.
        learning_rate: of Adam; 0 where learning would change the number of steps, which the floor cannot follow.
    """

    what: str
    field: Callable[[], nn.Module]
    shape: tuple[int, ...]
    solvers: dict[str, dict]
    floors: tuple[str, ...]
    learnt_before: bool
    learning_rate: float


NETWORKS = {
    "tanh": Network(
        "y' = tanh(W y + b), 64 dimensions, batch 128, linear classifier",
        lambda: TanhField(64),
        (64,),
        SOLVERS,
        ("dopri5 rkbench", "rk4×10 rkbench", "euler×10 rkbench"),
        learnt_before=False,
        learning_rate=1e-3,
    ),
    "convolutional": Network(
        "f of the MNIST ODE-net (Chen et al. 2018), state 64×6×6, batch 128, linear classifier",
        lambda: ConvField(64),
        (64, 6, 6),
        AT_SIZE,
        ("dopri5 rkbench", "rk4×2 rkbench"),
        learnt_before=True,
        learning_rate=0.0,
    ),
}
PACKAGES = ("torch", "torchdiffeq", "torchode", "torchdyn", "diffrax", "jax")


class Chain(nn.Module):
    """The floor: y <- f(t, y), as often as a solver evaluates f; the first few without a gradient to come.

    An adaptive solver looks at slopes that the loss does not depend on: one at the probe for the first step, and the
    last of all.
    """

    def __init__(self, f: nn.Module, times: int, unlearnt: int = 0) -> None:
        super().__init__()
        self.f, self.times, self.unlearnt = f, times, unlearnt

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return the last state."""
        t = torch.zeros(())
        with torch.no_grad():
            for _ in range(self.unlearnt):
                self.f(t, y)
        for _ in range(self.times - self.unlearnt):
            y = self.f(t, y)
        return y


def inputs(network: Network) -> torch.Tensor:
    """Return one batch of states to start from."""
    x = torch.randn(BATCH, *network.shape, generator=torch.Generator().manual_seed(1))
    return x.requires_grad_(network.learnt_before)


def training_step(network: Network, layer: nn.Module) -> Callable[[], object]:
    """Return a training step of ``layer`` and a linear classifier, on one batch."""
    x, labels = inputs(network), torch.arange(BATCH) % CLASSES
    classified = nn.Sequential(layer, nn.Flatten(), nn.Linear(x[0].numel(), CLASSES))
    optimizer = torch.optim.Adam(classified.parameters(), network.learning_rate, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        x.grad = None
        nn.functional.cross_entropy(classified(x), labels).backward()
        optimizer.step()

    return step


def layers(network: Network, left_out: str) -> Iterator[tuple[str, nn.Module, int]]:
    """Yield name, layer and evaluations of f; all with the same weights, one engine left out."""

    def field() -> nn.Module:
        torch.manual_seed(0)
        return network.field()

    x = inputs(network)
    yield "empty step", Chain(field(), 0), 0
    for name, options in network.solvers.items():
        if options.get("engine") == left_out:
            continue
        try:
            block = ODEBlock(field(), **options)
        except UserError as error:
            print(f"left out: {name}: {error}")
            continue
        for _ in range(2):  # a speculative solve needs one to remember
            block(x)
        nfe, vjps = block.last_stats.nfe, block.last_stats.vjps
        yield name, block, nfe
        if name in network.floors:
            yield f"{name.split()[0]} floor", Chain(field(), nfe), nfe
            if vjps < nfe:
                yield f"{name.split()[0]} floor, {vjps} VJPs", Chain(field(), nfe, nfe - vjps), nfe


def measure(network: Network, threads: int, rounds: int, left_out: str) -> dict:
    """Return what one process measured, with all that is needed to judge it."""
    torch.set_num_threads(threads)
    found = list(layers(network, left_out))
    seconds = interleaved({name: training_step(network, layer) for name, layer, _ in found}, rounds)
    return {
        "what": "seconds of one training step (forward, backward, Adam), per round",
        "network": network.what,
        "calls_per_round": BLOCK,
        "threads": threads,
        "left_out": left_out,
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "cpu": machine.describe()["cpu"],
        "versions": {name: _version(name) for name in PACKAGES if _version(name)},
        "nfe": {name: nfe for name, _, nfe in found},
        "seconds": {name: [round(s, 7) for s in row] for name, row in seconds.items()},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the JSON file goes")
    parser.add_argument("--network", choices=NETWORKS, default="tanh")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument(
        "--leave-out", default="", metavar="ENGINE", help="an engine that disturbs the others"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    measured = measure(NETWORKS[arguments.network], arguments.threads, arguments.rounds, arguments.leave_out)
    without = f"_without_{arguments.leave_out}" if arguments.leave_out else ""
    what = "training_step" if arguments.network == "tanh" else arguments.network
    name = f"{what}_{arguments.threads}_threads{without}.json"
    (arguments.folder / name).write_text(json.dumps(measured, ensure_ascii=False) + "\n", "utf-8")
