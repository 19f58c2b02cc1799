"""What everybody in a process shares, kept as it was while a plugin is loaded.

Every plugin is loaded in every cell, so whatever one leaves behind would be measured with all the others. Out of sight are
functions that it replaces in other modules, and threads that it starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from rkbench.traits import OF_PYTHON, OF_TORCH, UNKNOWN

PATIENCE = 10.0
"""Seconds of loading one plugin after which the user is told which it is."""


@contextlib.contextmanager
def kept() -> Iterator[list[str]]:
    """Put back what the block changes; afterwards the list holds its names, in words for the user."""
    changed: list[str] = []
    process, before = os.getpid(), [trait.now() for trait in (*OF_PYTHON, *OF_TORCH)]
    path, streams = list(sys.path), {number: os.dup(number) for number in (1, 2) if _open(number)}
    try:
        yield changed
    finally:
        if os.getpid() != process:  # a copy that the plugin forked off would go on as a second runner or cell
            os._exit(1)
        for trait, value in zip((*OF_PYTHON, *OF_TORCH), before, strict=True):
            if value is not UNKNOWN and trait.now() != value:
                trait.write(value)
                changed.append(trait.name)
        # What a plugin needs to find its own modules comes after all that others find first.
        sys.path[:] = path + [entry for entry in sys.path if entry not in path]
        changed += _reopened(streams)


def _open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _reopened(copies: dict[int, int]) -> list[str]:
    """Put standard output and error back where they are closed or lead elsewhere, and close the copies."""
    changed = []
    for number, copy in copies.items():
        if not _open(number) or not os.path.sameopenfile(number, copy):
            os.dup2(copy, number)
            changed.append("standard output" if number == 1 else "standard error")
        os.close(copy)
    return changed


@contextlib.contextmanager
def pressed() -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether the user stopped the program, as opposed to a plugin that pretends it."""
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:
        stopped.set()
        signal.default_int_handler(number, frame)

    mine = []
    if threading.current_thread() is threading.main_thread():
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        mine = [number for number in signals if signal.getsignal(number) is signal.default_int_handler]
    for number in mine:
        signal.signal(number, stop)
    try:
        yield stopped.is_set
    finally:
        for number in mine:
            signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def told_if_slow(name: str) -> Iterator[None]:
    """Tell the user which plugin is being loaded, if that takes long; it may take for ever."""
    stream = sys.stderr

    def tell() -> None:
        with contextlib.suppress(OSError, ValueError):
            print(
                f"note: loading the plugin {name} has taken {PATIENCE:g} s so far; stop with Ctrl-C, and mend it or leave "
                "it out, if it does not end.",
                file=stream,
                flush=True,
            )

    timer = threading.Timer(PATIENCE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
