"""How many bytes of tensors a piece of work holds at its worst, the graph of autograd included."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of the tensors made inside that are still alive, and the most there have been.

    Every result of every operation is seen, in the backward pass too, so what autograd keeps counts as long as it
    keeps it. A storage counts once, however many tensors share it; what a kernel allocates and frees within one
    operation is not seen.

    Attributes:
        now: bytes alive.
        peak: the most so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._alive: dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in given:  # else a view, or a result written into what was there
                    self._see(storage)
        return out

    def _see(self, storage: torch.UntypedStorage) -> None:
        address, size = storage._cdata, storage.nbytes()
        if address in self._alive:
            return

        def forget(ref: weakref.ref) -> None:
            del self._alive[address]
            self.now -= size

        self._alive[address] = weakref.ref(storage, forget)
        self.now += size
        self.peak = max(self.peak, self.now)


def peak_tensor_mb(work: Callable[[], object], device: torch.device) -> float:
    """Return the most MiB of tensors alive at once while ``work`` runs, beyond those alive before.

    Run the forward and the backward pass in ``work``. On a CPU every operation is watched, which slows ``work``
    many times over, so it is not the run to time; on a GPU torch's allocator tells.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20
    with LiveBytes() as live:
        work()
    return live.peak / 2**20
