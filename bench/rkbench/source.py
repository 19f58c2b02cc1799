"""What code is: a hash of its source, so that a result is known to be of this code and not of an earlier one."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

TELLING = (
    "checking.py",
    "cli.py",
    "conformance",
    "doctor.py",
    "forecast.py",
    "history",
    "listing.py",
    "new_plugin.py",
    "progress.py",
    "report",
    "show.py",
    "suites",
)
"""Parts of rkbench that only tell what was measured, or name what is to be."""


def digest(path: Path, without: tuple[str, ...] = ()) -> str:
    """Return a hash of a Python file, or of all Python files of a package; ``without`` names parts to leave out."""
    if path.name != "__init__.py":
        return _hash([path])
    folder = path.parent
    files = sorted(folder.rglob("*.py"))
    return _hash([file for file in files if file.relative_to(folder).parts[0] not in without])


@cache
def of_harness() -> str:
    """Return a hash of all code of rkbench that decides what a cell gives."""
    return digest(Path(__file__).with_name("__init__.py"), TELLING)


def _hash(files: list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        found.update(f"{file.name} {len(content)} ".encode() + content)
    return found.hexdigest()[:16]
