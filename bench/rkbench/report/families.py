"""Names of tasks: what those of one dataset have in common, and the depth of a network that has one in its options."""

from __future__ import annotations

import os
from collections.abc import Iterable

_DEPTH = "blocks"
"""The option of a residual network that is its depth."""


def short(names: Iterable[str]) -> dict[str, str]:
    """Return names without the words that all of them begin with: ``odenet`` for ``mnist_small_odenet``.

    A word ends at an underscore. A single name stays whole, and so does one that would be empty.
    """
    known = list(dict.fromkeys(names))
    shared = os.path.commonprefix([_base(name) for name in known]) if len(known) > 1 else ""
    start = shared.rfind("_") + 1
    return {name: name[start:] or name for name in known}


def blocks(name: str) -> tuple[str, int] | None:
    """Return what a residual network is called whatever its depth, and its number of blocks.

    None for a task whose name does not tell them, as ``mnist_resnet[blocks=12]`` does.
    """
    base, _, options = name.removesuffix("]").partition("[")
    given = {
        key.strip(): value.strip() for key, _, value in (one.partition("=") for one in options.split(","))
    }
    depth = given.pop(_DEPTH, "")
    if not depth.isdecimal():
        return None
    others = ", ".join(f"{key}={value}" for key, value in given.items())
    return (f"{base}[{others}]" if others else base), int(depth)


def without(name: str, option: str) -> str:
    """Return the name of a task without one of its options: ``tanh[init=xavier]`` for ``tanh[depth=4, init=xavier]``."""
    base, _, options = name.removesuffix("]").partition("[")
    others = [one.strip() for one in options.split(",") if one.partition("=")[0].strip() != option]
    return f"{base}[{', '.join(others)}]" if any(others) else base


def called(name: str, wanted: str) -> bool:
    """Return whether a task, its options aside, has a name or ends in it: ``mnist_odenet`` is called ``odenet``."""
    return f"_{_base(name)}".endswith(f"_{wanted}")


def _base(name: str) -> str:
    return name.partition("[")[0]
