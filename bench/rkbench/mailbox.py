"""Messages over a pipe, one line of JSON each: whatever the writer does, the reader is neither blocked nor fooled."""

from __future__ import annotations

import json
import os
import time
from multiprocessing.connection import Connection
from typing import Any

LONGEST = 64 * 2**20
"""Bytes of a line; a longer one is no message. Records take some hundred kilobytes at most."""

CHUNK = 2**16


class Garbled(Exception):
    """What came is no message; the text says what is wrong with it."""


class Reader:
    """The reading end, which gives whole lines only and keeps the rest until it is whole."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._buffer = pipe, bytearray()
        os.set_blocking(pipe.fileno(), False)

    def next(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, or None when there is none within ``timeout`` seconds.

        Raises:
            EOFError: the pipe is closed and holds no more whole line.
            Garbled: the next line is none of JSON, or has no end.
        """
        deadline = time.monotonic() + timeout
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LONGEST:
                raise Garbled(f"a line of more than {LONGEST // 2**20} MiB")
            if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
                return None
            chunk = os.read(self._pipe.fileno(), CHUNK)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return _parsed(line)

    def close(self) -> None:
        """Close the reading end."""
        self._pipe.close()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise Garbled(f"{line[:40]!r}") from None
    if not isinstance(message, dict):
        raise Garbled(f"{line[:40]!r}")
    return message


def write(pipe: Connection, message: dict[str, Any]) -> None:
    """Write a message, and wait for room in the pipe."""
    line = memoryview(json.dumps(message).encode() + b"\n")
    while line:
        line = line[os.write(pipe.fileno(), line) :]
