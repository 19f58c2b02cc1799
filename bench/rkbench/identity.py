"""Who a cell is: the hash of everything that decides its outcome, so that a result is reused for nothing else."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rkbench import __version__, checksums, machine, source

if TYPE_CHECKING:
    from rkbench.plan import Cell

BESIDES = ("cell_id", "suite", "plugin", "unavailable", "engine_version")
"""Fields of a cell that are no part of its identity. All but the last do not decide its outcome.

The version of an engine's library is not known before it is installed, and a cell that waits for it is to be found
again afterwards; so the version stands in the record beside the identity, and `up_to_date` compares it.
"""


def identity(cell: Cell, more: dict[str, Any]) -> str:
    """Return the hash of everything that decides the outcome; the suite's name and a plugin's path do not.

    A method is data: its coefficients. Task, controller and engine are code: the plugin's source, given in ``more``. So
    is rkbench itself; torch is the build that is installed; a dataset is the checksum of its files.
    """
    inputs = vars(cell) | more
    inputs |= {"rkbench": f"{__version__} {source.of_harness()}", "torch": torch_build()}
    inputs["data"] = checksums.of(cell.dataset)
    for key in BESIDES:
        del inputs[key]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def up_to_date(engine_version: str, cell: Cell) -> bool:
    """Whether that is the version of the library that is installed now; one that is gone cannot be asked again."""
    return bool(cell.unavailable) or engine_version == cell.engine_version


@cache
def torch_build() -> str:
    """Return what tells builds of torch apart, its version file, without importing torch."""
    spec = find_spec("torch")
    places = spec.submodule_search_locations if spec else None
    file = Path(next(iter(places))) / "version.py" if places else None
    return file.read_text(encoding="utf-8") if file and file.is_file() else machine.package_version("torch")
