"""The instruments: a clock around a region small enough to see whole, a counter around f, and a memory gauge."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock
from rkbench.twin import Twin, reporting, settle

T = TypeVar("T")

LEAST, MOST, ENOUGH_SECONDS = 7, 200, 0.3
"""Repetitions of short work: at least so many, then until there are so many or they have taken so long."""


def timed(work: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Return the seconds that ``work`` takes, and its result; the device's queue is empty at both ends."""
    synchronize(device)
    start = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - start, result


def median_seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the median of the seconds that short work takes, done again and again; caches are to be warm before."""
    seconds: list[float] = []
    while len(seconds) < LEAST or (sum(seconds) < ENOUGH_SECONDS and len(seconds) < MOST):
        seconds.append(timed(work, device)[0])
    return median(seconds)


def synchronize(device: torch.device) -> None:
    """Wait for everything queued on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Counted(nn.Module):
    """f of one ODE block, with every call counted by the harness, beside what the engine claims.

    Calls are always counted, because a plugin's engine is not trusted with its own bill. Vector-Jacobian products
    need a hook on each result, which costs time, so they are counted while ``audited`` only, outside the clock.

    What was compiled runs where no counter sees it: f as part of a graph, or a twin of f. Then the claim stands for
    the count until the next audit compares them. Under audit, graphs are run as the Python they came from, and a twin
    calls back to the host for every evaluation and product; one handed out otherwise is noted as ``lent``.
    """

    def __init__(self, f: Callable[..., Any], *, compiled: bool = False) -> None:
        super().__init__()
        self.f, self.compiled = f, compiled
        self.calls = self.vjps = self.claimed = self.accepted = self.rejected = 0
        self.audited = self.lent = False

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y)."""
        if torch.compiler.is_compiling():
            return self.f(t, y)
        self.calls += 1
        k = self.f(t, y)
        if self.audited and k.requires_grad:
            k.register_hook(self._count_vjp)
        return k

    @property
    def unseen(self) -> bool:
        """Whether f runs where it cannot be counted."""
        return self.lent or (self.compiled and not self.audited)

    def _count_vjp(self, gradient: Tensor) -> None:
        self.vjps += 1

    def twin(self) -> Twin | None:
        """Return f in another framework, if it is there; counted, under audit."""
        twin: Twin | None = getattr(self.f, "twin", lambda: None)()
        self.lent = twin is not None and not self.audited
        if twin is None or self.lent:
            return twin
        return reporting(twin, self)


@contextmanager
def audit(fields: Sequence[Counted]) -> Iterator[None]:
    """Count vector-Jacobian products too, and what a twin does; this takes time."""
    for field in fields:
        field.audited = True
    try:
        with (
            torch.compiler.set_stance("force_eager")
            if any(field.compiled for field in fields)
            else nullcontext()
        ):
            yield
        settle()
    finally:
        for field in fields:
            field.audited = False


def _note_claims(block: Any, inputs: Any, output: Any) -> None:
    """Add up, after each forward pass of a block, what its engine says that it did."""
    block.f.claimed += block.last_stats.nfe
    if block.f.unseen:
        block.f.calls += block.last_stats.nfe
    block.f.accepted += block.last_stats.accepted
    block.f.rejected += block.last_stats.rejected


class Counts(NamedTuple):
    """Totals since the network was built; differences are what happened in between."""

    calls: int
    claimed: int
    accepted: int
    rejected: int
    vjps: int


class Meter:
    """The counters of all ODE blocks of a network, read together; a copied network brings its own along."""

    def __init__(self, network: nn.Module) -> None:
        self.fields: list[Counted] = []
        for block in network.modules():
            if isinstance(block, ODEBlock):
                if not isinstance(block.f, Counted):
                    block.f = Counted(block.f, compiled=block.solver.compile)
                    block.register_forward_hook(_note_claims)
                self.fields.append(block.f)

    @property
    def unseen(self) -> bool:
        """Whether f ran out of sight in the last call of some block."""
        return any(field.unseen for field in self.fields)

    def read(self) -> Counts:
        """Return the totals."""
        if any(field.audited for field in self.fields):
            settle()
        rows = [(f.calls, f.claimed, f.accepted, f.rejected, f.vjps) for f in self.fields]
        return Counts(*map(sum, zip(*rows, strict=True))) if rows else Counts(0, 0, 0, 0, 0)


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory in MiB: of torch's allocator on a GPU, of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
