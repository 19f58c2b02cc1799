"""Whose turn it is on this machine: cells whose times count run one at a time, whichever run they belong to."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rkbench.errors import RunError

FILE = "rkbench-turns.lock"
"""In the folder for temporary files, which all runs of a machine share."""

WAITING = (
    "Another run of rkbench is at work on this machine; cells whose times are to count wait for their turn."
)


@contextlib.contextmanager
def alone(tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the machine: nobody else is here, and nobody comes. Waits, and tells so in a sentence."""
    with _file() as handle:
        _wait(handle, fcntl.LOCK_EX, tell)
        yield


@contextlib.contextmanager
def together(tell: Callable[[str], None]) -> Iterator[None]:
    """Keep those away who want to be alone. Waits while one of them is, and tells so in a sentence."""
    with _file() as handle:
        _wait(handle, fcntl.LOCK_SH, tell)
        yield


@contextlib.contextmanager
def _file() -> Iterator[int]:
    """Open the file, made for everybody: a lock needs no right to write."""
    path = Path(tempfile.gettempdir()) / FILE
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o644))
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise unusable_folder(error) from None
    try:
        yield handle
    finally:
        os.close(handle)


def unusable_folder(error: OSError) -> RunError:
    """Return what to tell when the folder for temporary files is gone, full, not writable, or has too long a name."""
    return RunError(
        f"The folder for temporary files, {tempfile.gettempdir()}, cannot be used ({error.strerror or error}); free some "
        "space there, or name another by the environment variable TMPDIR, and give the same command again; every cell measured "
        "before is kept."
    )


def _wait(handle: int, kind: int, tell: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                tell(WAITING)
                told = True
            time.sleep(0.05)
