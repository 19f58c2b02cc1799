"""The page ``results/engines.md``, made from the measurements beside it: ``python tests/benchmarks/engines_page.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from interleaved import ratio

import rkbench

RESULTS = Path(__file__).parents[2] / "results"
MEASURED, RUN, PAGE = RESULTS / "training_step", RESULTS / "published" / "engines", RESULTS / "engines.md"

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

    python tests/benchmarks/engines.py results/training_step --threads 2 --leave-out diffrax
    python tests/benchmarks/engines.py results/training_step --threads 2
    python tests/benchmarks/engines.py results/training_step --threads 1
    python tests/benchmarks/engines_page.py
"""

AIMS = (
    ("dopri5 torchdiffeq", "dopri5 rkbench", "≥ 2.5"),
    ("dopri5 torchode", "dopri5 rkbench", "≥ 2"),
    ("dopri5 torchdiffeq", "dopri5 rkbench compiled", "≥ 4"),
    ("dopri5 torchdiffeq", "dopri5 rkbench speculative", "≥ 4"),
    ("dopri5 diffrax", "dopri5 rkbench compiled", "≥ 1.5"),
    ("rk38×10 torchdiffeq", "rk4×10 rkbench", "≥ 1.4"),
    ("rk38×10 torchdiffeq", "rk4×10 rkbench compiled", "≥ 2"),
)
FLOOR_AIMS = (
    ("dopri5 rkbench", "≤ 2"),
    ("dopri5 rkbench compiled", "≤ 1.25"),
    ("dopri5 rkbench speculative", "≤ 1.25"),
)
"""Slower and faster, and the ratio aimed at; and how far above the floor: fixed before anything was measured."""

AT_SIZE = """# The same at size

f of the MNIST ODE-net (Chen et al. 2018): three group normalisations and two 3×3 convolutions of a state of 64×6×6, batch
128. The input of the block has a gradient too, as it has behind the convolutions that lead there. The learning rate is
0, so that the number of steps stays what the floor was given. dopri5 looks at two slopes that the loss does not depend
on, at the probe for the first step and the last of all; the floor with fewer VJPs spares these as well.

    python tests/benchmarks/engines.py results/training_step --network convolutional --threads 1 --rounds 20
"""


HARNESS = """# The same through the harness

The suite `engines`: every cell a process of its own, tied to one CPU, {cells} cells in random order, {seeds} seeds; ratios are
paired by seed, with their range over seeds in brackets. Beside them stand the ratios of one process with 1 thread, from
above, with quartiles. [The whole report](published/engines/report/report.md).

    rkbench run engines --out results/published/engines
"""


def page() -> str:
    """Return the page as Markdown."""
    small, large = (_measured(f"{name}_*.json") for name in ("training_step", "convolutional"))
    parts = [HEAD.format(calls=small[0]["calls_per_round"]), *_aims(small), *map(_section, small)]
    return "\n".join([*parts, AT_SIZE, *map(_section, large), *_through_the_harness(small + large)])


def _aims(small: list[dict[str, Any]]) -> list[str]:
    """Return what was aimed at before anything was measured, and what became of it."""
    [alone] = [one for one in small if one["threads"] == 2 and one["left_out"]]
    [beside] = [one for one in small if one["threads"] == 2 and not one["left_out"]]
    parts = ["## Aims, with 2 threads\n", "| | aim | measured |", "|---|--:|--:|"]
    for slower, faster, aim in AIMS:
        seconds = (alone if slower in alone["seconds"] else beside)["seconds"]
        parts.append(f"| {slower} ÷ {faster} | {aim} | {_spread(*ratio(seconds[slower], seconds[faster]))} |")
    seconds = alone["seconds"]
    for name, aim in FLOOR_AIMS:
        above = ratio(seconds[name], seconds["dopri5 floor"], seconds["empty step"])
        parts.append(f"| {name}, above floor | {aim} | {_spread(*above)} |")
    return [*parts, ""]


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


BESIDE = {
    "digits8_tanh": (
        "tanh",
        "train_seconds",
        {"dopri5_shampine": "dopri5", "rk38": "rk38×10", "euler": "euler×10"},
    ),
    "odenet_gradient": ("f of the MNIST", "step_seconds", {"dopri5_shampine": "dopri5"}),
}
"""Task -> words of the network that was measured in one process, what its cells were timed for, and names there."""


def _through_the_harness(measured: list[dict[str, Any]]) -> list[str]:
    cells = rkbench.load(RUN).cells
    parts = [HARNESS.format(cells=len(cells), seeds=cells["seed"].nunique())]
    for task, (network, time, names) in BESIDE.items():
        [alone] = [one for one in measured if network in one["network"] and one["threads"] == 1]
        parts += [f"## {task}\n", "| | NFE | s | ÷ rkbench eager | in one process |", "|---|--:|--:|--:|--:|"]
        of_task = cells[cells["task"] == task]
        for _, own in of_task.groupby("method", sort=False):
            plain = own[(own["engine"] == "rkbench") & ~own["compiled"]].set_index("seed")[time]
            parts += [
                _line(str(solver), rows, time, plain, alone, names)
                for solver, rows in own.groupby("solver", sort=False)
            ]
        parts.append("")
    return parts


def _line(
    solver: str, rows: pd.DataFrame, time: str, plain: pd.Series, alone: dict[str, Any], names: dict[str, str]
) -> str:
    seconds, first = rows.set_index("seed")[time], rows.iloc[0]
    ratios = (seconds / plain).to_numpy()
    itself = first["engine"] == "rkbench" and not first["compiled"]
    ours = f"{names.get(first['method'])} rkbench"
    how = "speculative" if first["speculative"] else "compiled" if first["compiled"] else ""
    theirs = f"{names.get(first['method'])} {first['engine'].replace('_', ' ')} {how}".strip()
    beside = alone["seconds"].get(theirs)
    return (
        f"| {solver} | {first['nfe_forward']:.0f} | {seconds.median():.3g} | "
        f"{'' if itself else _spread(float(np.median(ratios)), ratios.min(), ratios.max())} | "
        f"{'' if itself or beside is None else _spread(*ratio(beside, alone['seconds'][ours]))} |"
    )


def _spread(middle: float, low: float, high: float) -> str:
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
