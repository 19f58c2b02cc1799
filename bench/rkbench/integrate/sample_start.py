"""The first step of each sample alone, by the rules of `rkbench.integrate.start`, in one evaluation for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rkbench.integrate.error import per_sample, scale, single
from rkbench.integrate.own_time import OwnTime, columns
from rkbench.integrate.sample import Course
from rkbench.integrate.start import first_size, probe_size
from rkbench.solver import Solver


@torch.no_grad()
def start_norms(solver: Solver, y0: Tensor, f0: Tensor) -> list[tuple[float, float]]:
    """Return the scaled norms of y0 and f0 of each sample; the second is finite if both y0 and f0 are."""
    scaling, y = scale(solver, y0, y0), single(y0)
    d0, d1 = per_sample(y / scaling), per_sample((single(f0) / scaling).add_(y, alpha=0.0))
    return list(zip(*torch.stack((d0, d1)).tolist(), strict=True))


@torch.no_grad()
def first_steps(
    solver: Solver,
    own: OwnTime,
    courses: Sequence[Course],
    y0: Tensor,
    f0: Tensor,
    norms: list[tuple[float, float]],
) -> list[float]:
    """Return the signed first step of each sample, at the cost of one evaluation; see `first_step`."""
    k, spans = solver.method.error_exponent, [course.t1 - course.t0 for course in courses]
    assert k is not None
    h0 = [probe_size(d0, d1, span) for (d0, d1), span in zip(norms, spans, strict=True)]
    sizes = columns(torch.tensor(h0, dtype=torch.float64, device="cpu"), y0)
    f1 = own.at(_probes(courses, h0), torch.addcmul(single(y0), sizes, single(f0)).to(y0.dtype))
    d2 = per_sample((single(f1) - single(f0)) / scale(solver, y0, y0)).tolist()
    return [
        first_size(k, d1, second / abs(h), h, span)
        for (_, d1), second, h, span in zip(norms, d2, h0, spans, strict=True)
    ]


def _probes(courses: Sequence[Course], h0: Sequence[float]) -> list[float]:
    """Return where f is tried, nowhere beyond the end of a course."""
    ways = zip(courses, h0, strict=True)
    return [course.t1 if course.reached(course.t0 + h, course.t1) else course.t0 + h for course, h in ways]
