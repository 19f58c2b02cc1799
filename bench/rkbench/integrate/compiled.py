"""Steps known beforehand, as few graphs as can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from torch import Tensor

from rkbench.integrate.field import Field
from rkbench.integrate.fixed import finished, landing
from rkbench.integrate.gradients.backprop import BACKPROP
from rkbench.integrate.graphs import LARGEST, Graphs
from rkbench.integrate.output import Outputs
from rkbench.solution import Solution
from rkbench.solver import Solver


def compiled_loop(solver: Solver, f: Field, y: Tensor, times: list[float], outputs: Outputs) -> Solution:
    """Walk the grid as `fixed_loop` does, from output to output by as few graphs as can be."""
    times, scheme = landing(solver.method, times, outputs)
    graphs, y0, k = Graphs(solver, scheme, f), y, {}
    for stretch in _stretches(times, outputs, LARGEST // len(scheme.stages) or 1):
        before, first = y, k.get(scheme.final)
        y, slopes, _ = graphs.run(y, first, stretch)
        k = slopes if first is None else {0: first} | slopes
        outputs.serve_inside(scheme, before, k, *stretch[-2:])
        outputs.record(stretch[-1], y)
    return finished(scheme, f, y0, y, times, outputs, BACKPROP)


def _stretches(times: list[float], outputs: Outputs, longest: int) -> Iterator[list[float]]:
    """Yield the grid in stretches: output times only at their ends, or inside of one that is a single step."""
    cuts = {i for i, t in enumerate(times) if t in set(outputs.times)}
    for i, (t, end) in enumerate(itertools.pairwise(times)):
        if any(min(t, end) < at < max(t, end) for at in outputs.times):
            cuts |= {i, i + 1}
    for start, end in itertools.pairwise(sorted({0, *cuts, len(times) - 1})):
        pieces = -(-(end - start) // longest)
        bounds = [start + (end - start) * i // pieces for i in range(pieces + 1)]
        yield from (times[a : b + 1] for a, b in itertools.pairwise(bounds))
