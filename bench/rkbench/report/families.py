"""Names of tasks: what those of one dataset have in common, and the depth of a network that has one in its options."""

from __future__ import annotations

import os
from collections.abc import Iterable

_DEPTH = "blocks="
"""How an option begins that is a residual network's depth."""


def shared(names: Iterable[str]) -> tuple[str, list[str]]:
    """Return the words that all of several names begin with, each with its underscore, and the options that all have."""
    known = list(dict.fromkeys(names))
    if len(known) < 2:
        return "", []
    words = os.path.commonprefix([_base(name) for name in known])
    options = [_options(name) for name in known]
    return words[: words.rfind("_") + 1], [
        one for one in options[0] if all(one in other for other in options)
    ]


def short(names: Iterable[str]) -> dict[str, str]:
    """Return names without what all of them share: ``odenet`` for ``mnist_small_odenet``.

    A single name stays whole, and so does the base of one that would be empty.
    """
    known = list(dict.fromkeys(names))
    words, options = shared(known)
    return {
        name: _named(
            _base(name)[len(words) :] or _base(name), [one for one in _options(name) if one not in options]
        )
        for name in known
    }


def blocks(name: str) -> tuple[str, int] | None:
    """Return what a residual network is called whatever its depth, and its number of blocks.

    None for a task whose name does not tell them, as ``mnist_resnet[blocks=12]`` does.
    """
    known = [one.removeprefix(_DEPTH) for one in _options(name) if one.startswith(_DEPTH)]
    if not known or not known[0].isdecimal():
        return None
    return without(name, "blocks"), int(known[0])


def without(name: str, option: str) -> str:
    """Return the name of a task without one of its options: ``tanh[init=xavier]`` for ``tanh[depth=4, init=xavier]``."""
    return _named(_base(name), [one for one in _options(name) if not one.startswith(f"{option}=")])


def called(name: str, wanted: str) -> bool:
    """Return whether a task has a name or ends in it: ``mnist_odenet`` is called ``odenet``.

    Options that are wanted it must have; others do not matter.
    """
    return f"_{_base(name)}".endswith(f"_{_base(wanted)}") and {*_options(wanted)} <= {*_options(name)}


def _base(name: str) -> str:
    return name.partition("[")[0]


def _options(name: str) -> list[str]:
    """Return the options of a task, each as it was given, without spaces."""
    given = name.removesuffix("]").partition("[")[2]
    return [one.replace(" ", "") for one in given.split(",") if one.strip()]


def _named(base: str, options: list[str]) -> str:
    return f"{base}[{', '.join(options)}]" if options else base
