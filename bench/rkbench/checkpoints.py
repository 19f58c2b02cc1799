"""Checkpoints of trainings: where a run folder keeps them, and files of which only whole ones are believed.

A file is a line that names the format, one line of JSON, blocks of bytes, and the SHA-256 of all that. It replaces the
one before only once it is on the disk, so that whoever is killed while writing leaves the one before. Nothing in it is
executed when it is read.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from rkbench.plainfiles import CHECKPOINTS

SUFFIX, PARTIAL, ASIDE = ".state", ".partial", ".aside"

FORMAT = b"rkbench checkpoint 1\n"
DIGEST = sha256().digest_size


def place(folder: Path, cell_id: str, attempt: int) -> Path:
    """Return the file of one measurement of a cell; another one of the same cell starts from scratch."""
    return folder / CHECKPOINTS / f"{cell_id}-{attempt}{SUFFIX}"


def discard(folder: Path, cell_id: str, attempt: int) -> None:
    """Remove what a measurement left, now that its record is on the disk."""
    file = place(folder, cell_id, attempt)
    for each in (file, file.with_name(file.name + PARTIAL)):
        with contextlib.suppress(OSError):  # what cannot be removed now is swept at the next start
            each.unlink()


def sweep(folder: Path, done: Collection[str]) -> None:
    """Remove what nobody goes on from: checkpoints of cells that are done, of repetitions, and torn ones."""
    for file in (folder / CHECKPOINTS).glob(f"*{SUFFIX}*"):
        cell_id, _, attempt = file.name.removesuffix(SUFFIX).rpartition("-")
        stale = file.suffix == SUFFIX and (cell_id in done or attempt != "1")
        if stale or file.suffix == PARTIAL:
            with contextlib.suppress(OSError):  # it costs room, and is not believed for anything else
                file.unlink()


def tidy(folder: Path) -> None:
    """Remove the folder of checkpoints if it is empty; nobody may be writing there."""
    with contextlib.suppress(OSError):
        (folder / CHECKPOINTS).rmdir()


def write(file: Path, header: dict[str, Any], blocks: Iterable[bytes | memoryview]) -> None:
    """Write a file whole or not at all, and return when it is on the disk.

    Raises:
        OSError: the disk is full or the folder not writable; a file that was there before still is.
    """
    partial = file.with_name(file.name + PARTIAL)
    try:
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
            _synced(file.parent.parent)
        with partial.open("wb") as out:
            digest = sha256()
            for block in (FORMAT, json.dumps(header).encode() + b"\n", *blocks):
                digest.update(block)
                out.write(block)
            out.write(digest.digest())
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
        _synced(file.parent)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def read(file: Path) -> tuple[dict[str, Any], memoryview]:
    """Return the header, and the blocks as one.

    Raises:
        OSError: there is none, or it cannot be read.
        ValueError: it is none, or not as it was written; the sentence has "it" for the file.
    """
    content = file.read_bytes()
    if not content.startswith(FORMAT):
        raise ValueError("it is no checkpoint of this version")
    body = memoryview(content)[:-DIGEST]
    if sha256(body).digest() != content[-DIGEST:]:
        raise ValueError("it is damaged or cut short")
    end = content.index(b"\n", len(FORMAT))
    return json.loads(content[len(FORMAT) : end]), body[end + 1 :]


def _synced(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
