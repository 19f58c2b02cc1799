"""The page ``results/engines.md``, made from the measurements beside it: ``python tests/benchmarks/engines_page.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import ratio

RESULTS = Path(__file__).parents[2] / "results"
MEASURED, PAGE = RESULTS / "published" / "engines", RESULTS / "engines.md"

HEAD = """# What a training step costs, engine by engine

One training step (forward, backward, Adam) of the 8×8 tanh ODE-net: y' = tanh(W y + b) in 64 dimensions, batch 128, a
linear classifier, float32, no data loading. All contenders have the same weights and take turns in one process: per
round each runs once untimed and then {calls} times under the clock, in an order that changes from round to round. Given
are medians over the rounds, quartiles in brackets. *Floor* is the chain of as many bare evaluations of f, forward and
backward; *above floor* compares times less that of an empty step (classifier and Adam alone). The dopri5 rows have the
same tableau and error estimate (`dopri5_shampine`), rtol = atol = 1e-3 and an I controller. torchdiffeq's `rk4` is the
3/8 rule, so `rk38` is the row to hold beside it.

*compiled* is `compile=True`; *speculative* adds `speculative=True`: the steps of the last solve are tried again as one
graph, their errors checked afterwards. Compiling took place before the clock started.

diffrax runs in JAX, whose threads stay busy for a while after each call. On two cores that slows everybody with two
threads down, so these are measured without it first, and with it for its own row. Its row takes its own first step,
of 0.01, hence more evaluations, and recomputes on the way back, as it advises.

    python tests/benchmarks/engines.py results/published/engines --threads 2 --leave-out diffrax
    python tests/benchmarks/engines.py results/published/engines --threads 2
    python tests/benchmarks/engines.py results/published/engines --threads 1
    python tests/benchmarks/engines_page.py
"""

AT_SIZE = """# The same at size

f of the MNIST ODE-net (Chen et al. 2018): three group normalisations and two 3×3 convolutions of a state of 64×6×6, batch
128. The input of the block has a gradient too, as it has behind the convolutions that lead there. The learning rate is
0, so that the number of steps stays what the floor was given. dopri5 looks at two slopes that the loss does not depend
on, at the probe for the first step and the last of all; the floor with fewer VJPs spares these as well.

    python tests/benchmarks/engines.py results/published/engines --network convolutional --threads 1 --rounds 20
"""


def page() -> str:
    """Return the page as Markdown."""
    small, large = (_measured(f"{name}_*.json") for name in ("training_step", "convolutional"))
    parts = [HEAD.format(calls=small[0]["calls_per_round"]), *map(_section, small)]
    return "\n".join([*parts, AT_SIZE, *map(_section, large)] if large else parts)


def _measured(pattern: str) -> list[dict[str, Any]]:
    files = sorted(MEASURED.glob(pattern), reverse=True)
    return [json.loads(file.read_text("utf-8")) for file in files]


def _section(measured: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in measured["versions"].items())
    rounds = len(next(iter(measured["seconds"].values())))
    return "\n".join(
        [
            f"## {_title(measured)}\n",
            f"{rounds} rounds on {measured['cpu']}, {measured['measured_at'][:10]}; {versions}.\n",
            "| | NFE | ms | time ÷ rkbench eager | above floor |",
            "|---|--:|--:|--:|--:|",
            *(_row(measured, name) for name in measured["seconds"]),
            "",
        ]
    )


def _title(measured: dict[str, Any]) -> str:
    threads = f"{measured['threads']} thread{'s' * (measured['threads'] > 1)}"
    return f"{threads}, without {measured['left_out']}" if measured["left_out"] else threads


def _row(measured: dict[str, Any], name: str) -> str:
    seconds, method = measured["seconds"], name.split()[0]
    low, middle, high = np.percentile(seconds[name], [25, 50, 75]) * 1e3
    # torchdiffeq's rk4 is the 3/8 rule: it stands beside ours of either kind.
    ours, floor = seconds.get(f"{method} rkbench"), seconds.get(f"{method} floor".replace("rk38", "rk4"))
    relative = (
        "" if ours is None or name.endswith(("floor", " rkbench")) else _spread(*ratio(seconds[name], ours))
    )
    above = (
        ""
        if floor is None or name.endswith("floor")
        else _spread(*ratio(seconds[name], floor, seconds["empty step"]))
    )
    return (
        f"| {name} | {measured['nfe'][name]} | {middle:.2f} [{low:.2f}, {high:.2f}] | {relative} | {above} |"
    )


def _spread(middle: float, low: float, high: float) -> str:
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
