"""`rkbench check`: run the promises of methods, controllers and engines, and say which do not hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from rkbench.conformance import Check, check_controller, check_engine, check_method
from rkbench.errors import UnknownNameError
from rkbench.registry import Plugin, Registry

if TYPE_CHECKING:
    from rich.console import Console

CHECKS = {"method": check_method, "controller": check_controller, "engine": check_engine}


def check(
    registry: Registry, names: Sequence[str], files: Sequence[str], *, as_json: bool, console: Console
) -> int:
    """Check and print; return 1 when a promise is broken or a plugin is."""
    broken = _broken(registry, names, files)
    results: dict[str, list[Check]] = {}
    for kind, name in _chosen(registry, names, files, broken):
        item = registry.items[kind][name]
        title = name if kind == "method" else f"{kind} {name}"
        results[title] = CHECKS[kind](item, registry)
        if not as_json:
            _print(console, title, results[title], verbose=bool(names or files))
    reasons = [f"{plugin.owner}: {problem}" for plugin in broken for problem in plugin.problems]
    kept = all(each.passed for checks in results.values() for each in checks)
    if as_json:
        console.print_json(json.dumps({"checks": _plain(results), "refused": reasons}))
        return int(bool(reasons) or not kept)
    for reason in reasons:
        console.print("refused: ", reason, style="red", sep="", markup=False)
    if results:
        console.print(
            f"{len(results)} checked, {'every promise holds' if kept else 'some promises do not hold'}."
        )
    return int(bool(reasons) or not kept)


def _broken(registry: Registry, names: Sequence[str], files: Sequence[str]) -> list[Plugin]:
    """The broken plugins that the user asks about: the files given, or all when nothing was named."""
    return [plugin for plugin in registry.broken() if plugin.path in files or not (names or files)]


def _chosen(
    registry: Registry, names: Sequence[str], files: Sequence[str], broken: list[Plugin]
) -> Iterable[tuple[str, str]]:
    if names:
        return [(kind, name) for name in names for kind in _kinds(registry, name, broken)]
    owned = [key for key in registry.owners if key[0] in CHECKS]
    if files:
        return [key for key in owned if registry.owners[key].path in files]
    return [key for key in owned if key[0] == "method"]


def _kinds(registry: Registry, name: str, broken: list[Plugin]) -> list[str]:
    """Return what goes by that name: a method, a controller, an engine, or several."""
    kinds = [kind for kind in CHECKS if name in registry.items[kind]]
    if not kinds and broken:
        raise UnknownNameError(
            f"There is no method {name!r}, because {broken[0].owner} was refused: {broken[0].problems[0]}"
        )
    if not kinds:
        registry.method(name)  # raises, and tells the nearest ones
    return kinds


def _print(console: Console, title: str, checks: list[Check], *, verbose: bool) -> None:
    bad = [each for each in checks if not each.passed]
    mark = "[red]✗[/]" if bad else "[green]✓[/]"
    console.print(f"{mark} {escape(title)}: {len(checks) - len(bad)} of {len(checks)} promises hold")
    for each in checks if verbose else bad:
        console.print(f"   {'✓' if each.passed else '✗'} {each.promise}: {each.detail}", markup=False)


def _plain(results: dict[str, list[Check]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{"promise": c.promise, "passed": c.passed, "detail": c.detail} for c in checks]
        for name, checks in results.items()
    }
