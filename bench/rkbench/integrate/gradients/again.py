"""What f is computed again in, on the way back: as on the way forth, and without a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor

from rkbench.integrate.gradients.buffers import buffers_of, unchanged

Again = Callable[[], AbstractContextManager]


def again(f: Callable[..., Any], y: Tensor) -> Again:
    """Return contexts with the autocast of now, in which the buffers of f stay as they are."""
    kind = y.device.type
    cast = {"enabled": torch.is_autocast_enabled(kind), "dtype": torch.get_autocast_dtype(kind)}

    @contextmanager
    def context() -> Iterator[None]:
        with torch.autocast(kind, **cast, cache_enabled=False), unchanged(buffers_of(f)):
            yield

    return context
