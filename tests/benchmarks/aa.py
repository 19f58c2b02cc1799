"""The page ``results/aa.md``: does a report claim what is not there, and find what is: ``python tests/benchmarks/aa.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import rkbench
from rkbench.record import Record
from rkbench.report import frames, reading, verdicts
from rkbench.report.reading import Recorded
from rkbench.report.results import Results

RESULTS = Path(__file__).parents[2] / "results"
MEASURED, PAGE = RESULTS / "published" / "mnist8", RESULTS / "aa.md"

FEW, EFFECT, TIMES, MANY = 5, 0.1, 20, 400

HEAD = """# Does the report claim what is not there, and find what is?

Runs were simulated with the noise of real timings and judged by the same code as every run (`rkbench.report.verdicts`):
one solver under two names, so that nothing differs but noise, or with a slowdown planted in the second.

The noise is that of [`published/mnist8`](published/mnist8/report/report.md): of every cell of a solver with equal steps,
its times per epoch over the median of all epochs of its solver. A simulated cell is one of these cells, drawn at random,
with its epochs drawn again with replacement; what disturbs a cell as a whole stays in, and so does what disturbs single
epochs. Nothing that the cells of a seed have in common is kept, which makes the simulated noise the harder one. Each run
measures its resolution by a second label of the first solver, as real runs do. {cells} cells of {epochs} epochs; the standard
deviation of the logarithm of a simulated time is {scatter:.1%}.

    python tests/benchmarks/aa.py
"""

TABLE = """
## How often, in {many} runs each

| seeds | one solver twice: any claim | 5 % slower: found | 10 % slower: found | 20 % slower: found |
|---:|---:|---:|---:|---:|
{rows}

Found is what is claimed to be slower. A claim takes a p-value of at most 0.05 and an estimate beyond the resolution, so that
the first column may hold 5 % and holds less. Five seeds allow no claim whatever they measure: the smallest p-value that they
can give is 2 / 2⁵ = 0.0625.
"""


def noise() -> list[np.ndarray]:
    """Return, of every cell measured, the times of its epochs over the median of its solver's, shape [epochs]."""
    results = rkbench.load(MEASURED)
    equal = results.cells.loc[results.cells["steps"].notna() & results.cells["timing_valid"], "cell_id"]
    epochs = results.epochs[results.epochs["cell_id"].isin(equal)]
    relative = epochs["seconds"] / epochs.groupby("solver")["seconds"].transform("median")
    return [one.to_numpy() for _, one in relative.groupby(epochs["cell_id"], sort=True)]


def simulated(
    seeds: int, slowdown: float, cells: list[np.ndarray], generator: np.random.Generator
) -> Results:
    """Return a run of a solver under two names, the second slower by a share, with the second label of the first."""
    records = []
    for seed in range(seeds):
        for method, replica, factor in (("one", 0, 1.0), ("one", 1, 1.0), ("other", 0, 1 + slowdown)):
            cell = cells[generator.integers(len(cells))]
            seconds = factor * float(generator.choice(cell, cell.size).sum())
            records.append(_record(method, seed, replica, seconds))
    plan = [{"cell_id": record.cell_id} for record in records]
    planned = frames.cells({"plan": plan}, Recorded(reading.frame(records), {}, []))
    first, second = (planned[planned["replica"] == label] for label in (0, 1))
    nothing = [planned[:0]] * 4  # epochs, looks, signals and traces
    return Results(first, second, *nothing, {"suite": {"baseline": "one"}, "plan": plan}, [])


def _record(method: str, seed: int, replica: int, seconds: float) -> Record:
    return Record(
        cell_id=f"{method}-{seed}-{replica}", task="simulated", method=method, engine="rkbench", gradient="backprop",
        steps=10, seed=seed, replica=replica, status="ok", train_seconds=seconds, timing_valid=True, host="here",
    )  # fmt: skip


def claims(runs: int, seeds: int, slowdown: float, cells: list[np.ndarray], start: int) -> list[str]:
    """Return what each of several simulated runs says of its second solver."""
    found = []
    for number in range(runs):
        generator = np.random.default_rng([start, number, seeds, round(1000 * abs(slowdown))])
        [verdict] = verdicts.of(simulated(seeds, slowdown, cells, generator))
        found.append(verdict.claim)
    return found


def recommended(number: int, cells: list[np.ndarray]) -> int:
    """Return the seeds that the report of a run of five seeds, nothing planted, recommends for 10 %."""
    pilot = simulated(FEW, 0.0, cells, np.random.default_rng([1, number]))
    return verdicts.seeds_needed(pilot, EFFECT)["simulated"]


def promised(cells: list[np.ndarray]) -> tuple[int, list[int], int]:
    """Return of 20 repetitions: false claims on five seeds, the seeds recommended, planted slowdowns found with them."""
    false = sum(claim in ("slower", "faster") for claim in claims(TIMES, FEW, 0.0, cells, 0))
    seeds = [recommended(number, cells) for number in range(TIMES)]
    runs = [claims(1, enough, EFFECT, cells, 2 + number) for number, enough in enumerate(seeds)]
    return false, seeds, sum(claim == "slower" for [claim] in runs)


def section(false: int, seeds: list[int], found: int) -> str:
    """Return in words what `promised` gave."""
    return f"""
## Twenty repetitions

- One solver under two names, {FEW} seeds: a difference was claimed in {false} of {TIMES} runs.
- A slowdown of 10 %, with the number of seeds that the report of a run of {FEW} seeds recommends for it (a run of its
  own for each repetition; {min(seeds)} to {max(seeds)} seeds, the median {np.median(seeds):.0f}): found in
  {found} of {TIMES} runs.
"""


def page(cells: list[np.ndarray], log: Callable[[str], None] = print) -> str:
    """Return the page."""
    rows = []
    for seeds in (5, 6, 8, 10, 15, 20):
        false, *found = (claims(MANY, seeds, slowdown, cells, 100) for slowdown in (0.0, 0.05, 0.1, 0.2))
        shares = [np.mean([claim in ("slower", "faster") for claim in false])]
        shares += [np.mean([claim == "slower" for claim in one]) for one in found]
        rows.append("| " + " | ".join([str(seeds), *(f"{100 * share:.1f} %" for share in shares)]) + " |")
        log(rows[-1])
    sizes = [cell.size for cell in cells]
    generator = np.random.default_rng(0)
    scatter = np.std([np.log(generator.choice(cell, cell.size).mean()) for cell in cells for _ in range(200)])
    head = (
        HEAD.format(cells=len(cells), epochs=max(sizes), scatter=scatter)
        .replace("%;", " %;")
        .replace("%.", " %.")
    )
    return head + section(*promised(cells)) + TABLE.format(many=MANY, rows="\n".join(rows))


if __name__ == "__main__":
    PAGE.write_text(page(noise()), encoding="utf-8")
