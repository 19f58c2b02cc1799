"""Published files, whole or not at all: found, or downloaded through torchvision, and held to their checksums."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from rkbench.errors import DataError

VARIABLE = "RKBENCH_DATA"
"""The environment variable that names the folder of the files, a torchvision root."""


def root() -> Path:
    """Return the folder where datasets are looked for and downloaded to."""
    return Path(os.environ.get(VARIABLE) or Path.home() / ".cache" / "rkbench")


def published(
    title: str, folder: Path, files: Mapping[str, str], download: Callable[[list[str]], object]
) -> dict[str, bytes]:
    """Return the content of a dataset's files, each the published one to the bit.

    Args:
        title: of the dataset, for messages.
        folder: of the files.
        files: name -> SHA-256.
        download: is given the names of the files that are missing, and fetches at least those.

    Raises:
        DataError: a file is missing and cannot be downloaded, cannot be read, or is another one.
    """
    missing = _missing(folder, files)
    reason = _downloaded(download, missing) if missing else ""
    if still := _missing(folder, files):
        raise DataError(
            f"{title} is not complete in {folder} ({still[0]} is missing) and could not be downloaded ({reason}); set "
            f"{VARIABLE} to a folder with all {len(files)} files in {folder.relative_to(root())}, or run once where "
            "there is a network."
        )
    return {name: _verified(folder / name, expected) for name, expected in files.items()}


def _missing(folder: Path, files: Mapping[str, str]) -> list[str]:
    return [name for name in files if not (folder / name).is_file()]


def _downloaded(download: Callable[[list[str]], object], missing: list[str]) -> str:
    """Download, and return why not all came; whether they did is seen in the folder."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        download(missing)
    except Exception as error:  # torchvision raises whatever reading or the network raised
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    finally:
        socket.setdefaulttimeout(before)
    return "it was not among what came"


def _verified(file: Path, expected: str) -> bytes:
    """Return what is in a file, unless that is not what was published."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} could not be read ({error.strerror}); make it readable.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise DataError(
            f"{file} is not the published file ({len(content)} bytes, wrong checksum): it is broken or "
            "partial; delete it to download it again, or copy it from a good source."
        )
    return content
