"""Steps of different sizes as one step, by giving each sample of a batch a time of its own.

A step of size h from t is a step of size 1 in the time τ = (t' - t)/h, in which dy/dτ = h f(t + τ h, y). So whatever
takes a step of size 1 takes all samples along, each by its own h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rkbench.errors import SolverError
from rkbench.integrate.error import error_norms, per_sample, single, stretched
from rkbench.integrate.field import Field
from rkbench.integrate.gradients.road import Road
from rkbench.integrate.sample import Course
from rkbench.integrate.scheme import Scheme
from rkbench.integrate.step import Slopes
from rkbench.solver import Solver


class Taken(NamedTuple):
    """One step of each of some samples.

    Attributes:
        before: states before, ``[samples, *shape]``.
        h: signed sizes, ``[samples, 1, …]``.
        y: states after.
        k: stage -> h times its slope.
    """

    before: Tensor
    h: Tensor
    y: Tensor
    k: Slopes

    def rows(self, rows: Sequence[int], scheme: Scheme) -> Taken:
        """Return the steps of some samples, with only those slopes that are needed after a step."""
        needed = {i for i, _ in scheme.dense} | ({scheme.final} if scheme.fsal else set())
        before, h, y = (select(x, rows) for x in self[:3])
        return Taken(before, h, y, {i: select(self.k[i], rows) for i in needed})

    def slope(self, stage: int) -> Tensor:
        """Return the slope of a stage by the common time."""
        return self.k[stage] / self.h

    def inside(self, scheme: Scheme, rows: Sequence[int], fractions: Sequence[float]) -> Tensor:
        """Return the dense output ``[len(rows), *shape]``, each of a sample and at a fraction of its step."""
        theta = torch.tensor(fractions, dtype=torch.float64, device="cpu")
        these = index(rows, self.y)
        y = single(self.before[these])
        for stage, row in scheme.dense:
            weight = sum((p * theta**power for power, p in enumerate(row, 1)), torch.zeros_like(theta))
            y = torch.addcmul(y, columns(weight, y), self.k[stage][these])
        return y.to(self.y.dtype)


class OwnTime:
    """Takes steps, each sample of a batch by its own size, and evaluates f at times of their own.

    Args:
        f: the right-hand side.
        scheme: what a step computes.
        road: how a step is taken.
        y0: for its dtype and device.
    """

    def __init__(self, f: Field, scheme: Scheme, road: Road, y0: Tensor) -> None:
        self.f, self.scheme, self.road = f, scheme, road
        self._dtype = y0.dtype
        self._c = torch.tensor([[c] for _, c, _ in scheme.stages], dtype=torch.float64, device="cpu")

    def at(self, t: Sequence[float], y: Tensor) -> Tensor:
        """Return f(t, y), ``[samples, *shape]``, each sample at its own time."""
        times = torch.tensor(t, dtype=torch.float64, device="cpu")
        return self._evaluate(columns(times, y).to(self._dtype), y)

    def clock(
        self, t: Sequence[float], h: Sequence[float], courses: Sequence[Course], like: Tensor
    ) -> Tensor:
        """Return the times of all stages and the sizes, ``[stages + 1, samples, 1, …]``, in one transfer.

        No time lies outside the course of its sample.
        """
        ends = ([course.t0 for course in courses], [course.t1 for course in courses])
        start, size, t0, t1 = torch.tensor([t, h, *ends], dtype=torch.float64, device="cpu")
        times = (start + self._c * size).clamp(torch.minimum(t0, t1), torch.maximum(t0, t1))
        return columns(torch.cat((times, size[None])), like)

    def step(self, clock: Tensor, y: Tensor, slope: Tensor | None) -> Taken:
        """Take a step of every sample.

        Args:
            clock: see `clock`.
            y: where they are, ``[samples, *shape]``.
            slope: f there, if it is known.
        """
        h = clock[-1]
        stages = (stage for stage, _, _ in self.scheme.stages)
        times = dict(zip(stages, clock[:-1].to(self._dtype).unbind(), strict=True))

        def by_own_time(t: Tensor, y: Tensor) -> Tensor:
            return h * single(self._evaluate(t, y))

        # Half precision is left for f alone: a small h has no place in it.
        known = {} if slope is None else {0: h * slope}
        y_new, k = self.road.step(self.scheme, by_own_time, times, single(y), 1.0, known)
        return Taken(y, h, y_new.to(self._dtype), k)

    def _evaluate(self, t: Tensor, y: Tensor) -> Tensor:
        k = self.f(t, y.to(self._dtype))
        if k.shape != y.shape:
            raise SolverError(
                f"f(t, y) returned shape {tuple(k.shape)} for the samples still running, of shape {tuple(y.shape)}; with "
                "control='sample' f meets ever fewer samples: write it for any number, or use control='batch'."
            )
        return k


def sample_errors(solver: Solver, scheme: Scheme, step: Taken) -> list[float]:
    """Return the error norm of each sample alone, all read back at once; see `error_norm`."""
    norms = error_norms(solver, scheme, step.before, step.y, step.k, 1.0, per_sample)
    return [stretched(*pair) for pair in zip(*norms.tolist(), strict=True)]


def columns(values: Tensor, like: Tensor) -> Tensor:
    """Return ``[…, samples]`` as ``[…, samples, 1, …]``, to be combined with states like this one."""
    ready = values.to(device=like.device, dtype=single(like).dtype)
    return ready.reshape(*values.shape, *[1] * (like.dim() - 1))


def index(rows: Sequence[int], like: Tensor) -> Tensor:
    """Return row numbers as a tensor on the device of ``like``."""
    return torch.tensor(rows, dtype=torch.long, device=like.device)


def select(x: Tensor, rows: Sequence[int]) -> Tensor:
    """Return some rows, in the memory format they are in (`index_select` would lose it)."""
    return x[index(rows, x)]
