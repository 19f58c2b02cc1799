"""What a run folder may be made of: plain files and folders of its own.

A folder may come from a stranger. A link in it could have a run write anywhere, a pipe could keep it waiting for ever.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from rkbench.errors import RunError

KINDS = (
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)
FILES = (
    "manifest.json",
    "manifest.json.partial",
    "records.jsonl",
    "records.torn",
    "records.reserve",
    ".lock",
)
FOLDERS = (".cache", "checkpoints", "report")


def check(folder: Path) -> None:
    """Refuse a run folder in which a name that is read or written is not what it should be.

    Raises:
        RunError: a link, pipe, socket or device, or a folder in place of a file.
    """
    for name in FILES:
        _check(folder / name, (*KINDS, (stat.S_ISDIR, "folder")))
    for inner in (folder / name for name in FOLDERS):
        _check(inner)
        if inner.name != "report":  # which is replaced as a whole
            with contextlib.suppress(OSError):  # it is missing
                for path in inner.iterdir():
                    _check(path)


def _check(path: Path, refused: Iterable[tuple[Callable[[int], bool], str]] = KINDS) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:  # it is missing, or whoever opens it is told why it cannot be
        return
    for is_one, what in refused:
        if is_one(mode):
            raise RunError(
                f"{path} is a {what}, which no run makes of it; look where the folder comes from, and remove it."
            )
