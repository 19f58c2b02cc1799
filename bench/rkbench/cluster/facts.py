"""What must be the same wherever cells of one run are measured, and a sentence for what is not."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rkbench import __version__, identity, machine, source
from rkbench.errors import UnknownNameError
from rkbench.plan import Cell, engine_version, unavailable
from rkbench.registry import Registry

KINDS = ("method", "controller", "engine", "task")
"""Columns of a cell that name what a plugin brought."""

ABSENT = "none"

Items = Mapping[str, Sequence[str]]
"""Kind -> names."""


def items(cells: Iterable[Cell]) -> dict[str, list[str]]:
    """Return what the cells name, by kind."""
    cells = list(cells)
    return {kind: sorted({getattr(cell, kind) for cell in cells} - {""}) for kind in KINDS}


def facts(wanted: Items, registry: Registry) -> dict[str, str]:
    """Return name -> value of all that decides what the cells give: rkbench, torch, and the code behind each item."""
    found = {
        "Python": platform.python_version(),
        "rkbench": f"{__version__} with source {source.of_harness()}",
        "torch": f"{machine.package_version('torch')} of build {_short(identity.torch_build())}",
        "distributed": machine.package_version("distributed"),
    }
    for kind, names in wanted.items():
        found |= {f"the {kind} {name}": _item(kind, name, registry) for name in names}
    return found


def difference(address: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """Return the sentence that tells what a worker has otherwise than this machine; empty when nothing."""
    other = [name for name, value in ours.items() if theirs.get(name) != value]
    if not other:
        return ""
    name = other[0]
    more = f" (and {len(other) - 1} more)" if len(other) > 1 else ""
    return (
        f"The worker {address} differs from this machine in {name}: {theirs.get(name, ABSENT)} there, {ours[name]} "
        f"here{more}; install the same on both."
    )


def _item(kind: str, name: str, registry: Registry) -> str:
    """Return what an item is: a method its coefficients, anything else the code that brought it."""
    try:
        if kind == "method":
            return _short(registry.method(name).digest)
        code = registry.owner(kind, name).digest
    except UnknownNameError:
        return "; ".join([ABSENT, *_broken(registry)])
    if kind != "engine":
        return code
    reason = unavailable(registry, name)
    version: Any = engine_version(registry.engine(name))
    return ", ".join(filter(None, (code, f"library {version}" if version else "", reason)))


def _broken(registry: Registry) -> list[str]:
    return [f"{plugin.owner} is refused: {plugin.problems[0]}" for plugin in registry.broken()]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
