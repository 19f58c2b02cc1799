"""What a cell's process prints: kept for its last words, in a file without a name that ends with its owner."""

from __future__ import annotations

import fcntl
import os
import tempfile
from multiprocessing.connection import Connection

from rkbench.turns import unusable_folder

TAIL = 300
"""How many characters of a crashed cell's output its message quotes."""

MOST = 16 * 2**20
"""Bytes of output that are kept, about; a cell may print for ever."""


class Log:
    """A file for standard output and error.

    Raises:
        RunError: the folder for temporary files is gone, full or not writable.
    """

    def __init__(self) -> None:
        try:
            self._file = tempfile.TemporaryFile(prefix="rkbench-")  # noqa: SIM115, its owner closes it
        except OSError as error:
            raise unusable_folder(error) from None
        self._earlier = b""
        handle = self._file.fileno()
        # Writers go on at the end, wherever that is after it was cut.
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_APPEND)

    def passed(self) -> Connection:
        """Return the file as the one kind of thing that multiprocessing hands over to another process."""
        return Connection(os.dup(self._file.fileno()), readable=False)

    def bound(self) -> None:
        """Forget what was printed when it is too much, but for its end."""
        if os.fstat(self._file.fileno()).st_size > MOST:
            self._earlier = self._end()
            os.ftruncate(self._file.fileno(), 0)

    def last_words(self) -> str:
        """Return the end of what was printed, on one line."""
        return " ".join((self._earlier + self._end()).decode(errors="replace")[-TAIL:].split())

    def close(self) -> None:
        """Let go of the file, which has no name and so is gone."""
        self._file.close()

    def _end(self) -> bytes:
        handle = self._file.fileno()
        size = os.fstat(handle).st_size
        return os.pread(handle, 4 * TAIL, max(0, size - 4 * TAIL))
