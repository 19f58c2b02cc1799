"""The page ``results/gradients.md``, made from the published run beside it: ``python tests/benchmarks/gradients_page.py``."""

from __future__ import annotations

from pathlib import Path

import rkbench
from rkbench.report import account, markdown, tables

RESULTS = Path(__file__).parents[2] / "results"
RUN, PAGE = RESULTS / "published" / "gradients", RESULTS / "gradients.md"

HEAD = """# What each road to the gradient costs

One solve of y' = tanh(W y + b) in 64 dimensions, 128 samples, t from 0 to 4, in float64, and the gradient of half the mean
square of y(4) to y(0), W and b. A state is 64 KiB. Equal steps, 2 to 256 of them, show how memory grows with depth;
tolerances from 1e-2 to 1e-10 show what an adaptive solve pays for the error of its gradient.

Each cell is a process of its own: one solve is counted, evaluation by evaluation; one is compared with the true gradient
(dop853 at a tolerance of 1e-12) and with that of `backprop` through the same steps; one runs with all of torch's tensors
watched, for memory; and several against the clock, of which the median counts.

| road | what it keeps | what it gives |
|---|---|---|
| `backprop` | the graph of every stage, N·s | the gradient of what was computed |
| `checkpoint` | a state per step, N | the same |
| `segments` | √N states, then those of one segment | the same |
| `binomial` | log N states, by revolve | the same |
| `adjoint` | one state; solves back in time | the gradient of the exact solution, approximated |
| `interpolated` | the interpolation of every step, N | the same, with y read off the interpolation |
| engine `reversible` | one state; walks its steps back | the gradient of what it computed, with a method of its own |
"""

COMMANDS = """## Again

    rkbench run gradients --out results/published/gradients
    rkbench report results/published/gradients
    python tests/benchmarks/gradients_page.py
"""


def page(run: Path = RUN) -> str:
    """Return the page as Markdown."""
    results = rkbench.load(run)
    parts = [HEAD.rstrip(), f"{markdown.escape(account.sentence(results))} {account.date(results)}"]
    parts += [
        f"![{title}](published/gradients/report/figures/{name}.png)"
        for title, name in (
            ("Peak memory against the number of steps", "gradient_memory"),
            ("Error of the gradient over time and memory", "gradient_work"),
        )
    ]
    return "\n\n".join([*parts, *markdown.sections(tables.of(results)), COMMANDS])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
