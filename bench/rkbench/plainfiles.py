"""What a run folder is made of: plain files and folders of its own, under these names.

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
MANIFEST, RECORDS, TORN = "manifest.json", "records.jsonl", "records.torn"
RESERVE, LOCK = "records.reserve", ".lock"
PARTIAL = MANIFEST + ".partial"
FILES = (MANIFEST, PARTIAL, RECORDS, TORN, RESERVE, LOCK)

CACHE, CHECKPOINTS, REPORT = ".cache", "checkpoints", "report"
FOLDERS = (CACHE, CHECKPOINTS, REPORT)


def check(folder: Path) -> None:
    """Refuse a run folder in which a name that is read or written is not what it should be.

    Raises:
        RunError: a link, pipe, socket or device, or a folder in place of a file.
    """
    for name in FILES:
        _check(folder / name, (*KINDS, (stat.S_ISDIR, "folder")))
    for inner in (folder / name for name in FOLDERS):
        _check(inner)
        if inner.name != REPORT:  # which is replaced as a whole
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
