"""One training step by rkbench, eager and compiled, by the libraries in use, and by bare evaluations of f.

    python tests/benchmarks/engines.py results/published/engines

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

import torch
from interleaved import BLOCK, interleaved
from torch import nn

from rkbench import ODEBlock, UserError, machine
from rkbench.networks.tanh import TanhField

BATCH, WIDTH, CLASSES = 128, 64, 10
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
FLOORS = ("dopri5 rkbench", "rk4×10 rkbench", "euler×10 rkbench")
PACKAGES = ("torch", "torchdiffeq", "torchode", "torchdyn", "diffrax", "jax")


class Chain(nn.Module):
    """The floor: y <- f(t, y), as often as a solver evaluates f."""

    def __init__(self, f: nn.Module, times: int) -> None:
        super().__init__()
        self.f, self.times = f, times

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        """Return the last state."""
        t = torch.zeros(())
        for _ in range(self.times):
            y = self.f(t, y)
        return y


def training_step(layer: nn.Module) -> Callable[[], object]:
    """Return a training step of ``layer`` and a linear classifier, on one batch."""
    network = nn.Sequential(layer, nn.Linear(WIDTH, CLASSES))
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    x = torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(BATCH) % CLASSES

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(network(x), labels).backward()
        optimizer.step()

    return step


def layers(left_out: str) -> Iterator[tuple[str, nn.Module, int]]:
    """Yield name, layer and evaluations of f; all with the same weights, one engine left out."""

    def field() -> TanhField:
        torch.manual_seed(0)
        return TanhField(WIDTH)

    x = torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(1))
    yield "empty step", Chain(field(), 0), 0
    for name, options in SOLVERS.items():
        if options.get("engine") == left_out:
            continue
        try:
            block = ODEBlock(field(), **options)
        except UserError as error:
            print(f"left out: {name}: {error}")
            continue
        for _ in range(2):  # a speculative solve needs one to remember
            block(x)
        nfe = block.last_stats.nfe
        yield name, block, nfe
        if name in FLOORS:
            yield f"{name.split()[0]} floor", Chain(field(), nfe), nfe


def measure(threads: int, rounds: int, left_out: str) -> dict:
    """Return what one process measured, with all that is needed to judge it."""
    torch.set_num_threads(threads)
    found = list(layers(left_out))
    seconds = interleaved({name: training_step(layer) for name, layer, _ in found}, rounds)
    return {
        "what": "seconds of one training step (forward, backward, Adam), per round",
        "network": f"y' = tanh(W y + b), {WIDTH} dimensions, batch {BATCH}, linear classifier",
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the JSON file goes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument(
        "--leave-out", default="", metavar="ENGINE", help="an engine that disturbs the others"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    measured = measure(arguments.threads, arguments.rounds, arguments.leave_out)
    without = f"_without_{arguments.leave_out}" if arguments.leave_out else ""
    name = f"training_step_{arguments.threads}_threads{without}.json"
    (arguments.folder / name).write_text(json.dumps(measured, ensure_ascii=False) + "\n", "utf-8")
