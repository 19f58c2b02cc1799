"""The clock of compilers: how long torch.compile took, wherever it was called from."""

from __future__ import annotations

import time
from typing import Any


class CompileClock:
    """Adds up the time that torch spends compiling, inside a ``with``; in backward passes too.

    Attributes:
        seconds: so far; 0 when nothing was compiled.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> CompileClock:
        from torch._dynamo.callback import callback_handler

        callback_handler.register_start_callback(self._start)
        callback_handler.register_end_callback(self._end)
        return self

    def __exit__(self, *exception: object) -> None:
        from torch._dynamo.callback import callback_handler

        callback_handler.remove_start_callback(self._start)
        callback_handler.remove_end_callback(self._end)

    def _start(self, arguments: Any) -> None:
        self._began = time.perf_counter()

    def _end(self, arguments: Any) -> None:
        self.seconds += time.perf_counter() - self._began
