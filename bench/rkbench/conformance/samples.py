"""The promise of ``control="sample"``: what a sample does never depends on its mates."""

from __future__ import annotations

from typing import Any

import torch

from rkbench.conformance.check import Verdict
from rkbench.conformance.trials import InBoth, Observed, distance
from rkbench.registry import Registry, default
from rkbench.solution import Samples
from rkbench.solver import SAMPLEWISE, Engine, Solver
from rkbench.twin import settle

METHODS = ("dopri5", "dopri5_shampine", "bosh3", "heun2")
"""Tried in turn, with the I controller, which every library has."""

SPAN = (0.0, 1.0)
ROUND_OFF = 1e-10


BATCH = torch.tensor([[0.01], [0.3], [2.0], [torch.nan], [40.0]], dtype=torch.float64)
WELL = [0, 1, 2, 4]
"""Which of them have a future."""


def _competes(t: Any, y: Any) -> Any:
    """Return y (3 t - y), in either framework: the larger a sample, the faster it is."""
    return y * (3 * t - y)


COMPETES = InBoth(_competes, _competes)


def steps_by_sample(engine: Any) -> bool:
    """Whether an engine takes ``control="sample"`` with any method it is tried with; it says so by ``unsupported``."""
    return solver_by_sample(engine, default()) is not None


def solver_by_sample(engine: Engine, registry: Registry) -> Solver | None:
    """Return a solve with steps of each sample's own that ``engine`` can run, or None."""
    for name in METHODS:
        for gradient in SAMPLEWISE:
            try:
                return Solver(
                    registry.method(name),
                    registry.controller("i"),
                    engine,
                    gradient,
                    rtol=1e-4,
                    atol=1e-6,
                    control="sample",
                )
            except Exception:  # a refusal; what else a plugin raises, other promises show
                continue
    return None


def counts_by_sample(engine: Engine, registry: Registry) -> tuple[int, int] | None:
    """Return the evaluations of f claimed and counted in a solve of that kind; None where it runs none."""
    solver = solver_by_sample(engine, registry)
    if solver is None:
        return None
    f = Observed(COMPETES)
    solution = engine.solve(solver, f, BATCH, SPAN)
    settle()
    return solution.stats.nfe, f.calls


def independent(engine: Engine, registry: Registry) -> Verdict:
    """A batch equals its samples one by one, in states and steps, with a mate that is NaN from the start."""
    solver = solver_by_sample(engine, registry)
    if solver is None:
        return False, "no method of the registry can be tried"
    together = engine.solve(solver, COMPETES, BATCH, SPAN)
    if together.samples is None:
        return False, "its Solution tells nothing of the samples"
    alone = [engine.solve(solver, COMPETES, row[None], SPAN) for row in BATCH]
    off = distance(together.y[:, WELL], torch.cat([alone[i].y for i in WELL], 1))
    same = _told(together.samples) == tuple(_told(one.samples)[0] for one in alone)
    lonely = not set(together.samples.failed) & set(WELL)
    said = f"{solver.method.name} {off:.1e} off, steps {'' if same else 'not '}those of each sample alone"
    return off < ROUND_OFF and same and lonely, said if lonely else f"{said}, and a mate of NaN harms others"


def _told(samples: Samples | None) -> tuple[Any, ...]:
    """Return what each sample went through: how it ended, and how many steps it took and tried in vain."""
    assert samples is not None
    return tuple(zip(samples.status, samples.accepted, samples.rejected, strict=True))
