"""Room on the disk that a run holds for the record in hand, so that even a full disk loses nothing that was measured."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from rkbench.plainfiles import RESERVE

SIZE = 2**20
"""Bytes; a record with all that it can hold takes some hundred thousand."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk, or a share of it, that is full."""


def hold(folder: Path) -> None:
    """Take the room.

    Raises:
        OSError: there is none, or the folder is not writable.
    """
    path = folder / RESERVE
    with path.open("ab") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, SIZE)
        except OSError:
            path.unlink()
            raise


def give_up(folder: Path) -> bool:
    """Free the room, and return whether any was held."""
    try:
        (folder / RESERVE).unlink()
    except OSError:
        return False
    return True
