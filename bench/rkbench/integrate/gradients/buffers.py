"""The buffers of f (running statistics, say), which computing f again must not move a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


def buffers_of(f: Callable[..., Any]) -> tuple[Tensor, ...]:
    """Return the buffers of a module; a plain function shows none."""
    return tuple(f.buffers()) if isinstance(f, nn.Module) else ()


@contextmanager
def unchanged(buffers: tuple[Tensor, ...]) -> Iterator[None]:
    """Undo what happens to the buffers inside."""
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, old in zip(buffers, before, strict=True):
            # Through .data, because in the end nothing has changed: a graph that kept the buffer stays valid.
            buffer.data.copy_(old)
