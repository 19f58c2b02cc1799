"""The instruments: a clock around a region small enough to see whole, a counter around f, and a memory gauge."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from rkbench.networks.block import ODEBlock

T = TypeVar("T")


def timed(work: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Return the seconds that ``work`` takes, and its result; the device's queue is empty at both ends."""
    synchronize(device)
    start = time.perf_counter()
    result = work()
    synchronize(device)
    return time.perf_counter() - start, result


def synchronize(device: torch.device) -> None:
    """Wait for everything queued on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Counted(nn.Module):
    """f of one ODE block, with every call counted by the harness, beside what the engine claims.

    Calls are always counted, because a plugin's engine is not trusted with its own bill. Vector-Jacobian products
    need a hook on each result, which costs time, so they are counted while ``audited`` only, outside the clock.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        super().__init__()
        self.f = f
        self.calls = self.vjps = self.claimed = self.accepted = self.rejected = 0
        self.audited = False

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return f(t, y)."""
        self.calls += 1
        k = self.f(t, y)
        if self.audited and k.requires_grad:
            k.register_hook(self._count_vjp)
        return k

    def _count_vjp(self, gradient: Tensor) -> None:
        self.vjps += 1


def _note_claims(block: Any, inputs: Any, output: Any) -> None:
    """Add up, after each forward pass of a block, what its engine says that it did."""
    block.f.claimed += block.last_stats.nfe
    block.f.accepted += block.last_stats.accepted
    block.f.rejected += block.last_stats.rejected


class Counts(NamedTuple):
    """Totals since the network was built; differences are what happened in between."""

    calls: int
    claimed: int
    accepted: int
    rejected: int


class Meter:
    """The counters of all ODE blocks of a network, read together; a copied network brings its own along."""

    def __init__(self, network: nn.Module) -> None:
        self.fields: list[Counted] = []
        for block in network.modules():
            if isinstance(block, ODEBlock):
                if not isinstance(block.f, Counted):
                    block.f = Counted(block.f)
                    block.register_forward_hook(_note_claims)
                self.fields.append(block.f)

    def read(self) -> Counts:
        """Return the totals."""
        rows = [(f.calls, f.claimed, f.accepted, f.rejected) for f in self.fields]
        return Counts(*map(sum, zip(*rows, strict=True))) if rows else Counts(0, 0, 0, 0)

    def vjps(self, work: Callable[[], Any]) -> int:
        """Return the vector-Jacobian products of f that ``work`` takes."""
        before = sum(field.vjps for field in self.fields)
        for field in self.fields:
            field.audited = True
        try:
            work()
        finally:
            for field in self.fields:
                field.audited = False
        return sum(field.vjps for field in self.fields) - before


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory in MiB: of torch's allocator on a GPU, of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
