"""Load plugins, name what they bring, and list the broken ones with their reason; nothing happens at import.

Every plugin is loaded, validated and asked on its own, so one that fails harms nobody else.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from inspect import isroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from rkbench import hookspecs, source, surroundings, variation
from rkbench.controller import StepController
from rkbench.errors import PluginError, UserError, unknown
from rkbench.printable import printable
from rkbench.solver import Engine
from rkbench.tableau import ButcherTableau
from rkbench.task import BaseTask

GROUP = "rkbench"
OWN_DISTRIBUTION = "rkbench"


KINDS: dict[str, tuple[str, type]] = {
    "rkbench_methods": ("method", ButcherTableau),
    "rkbench_controllers": ("controller", StepController),
    "rkbench_engines": ("engine", Engine),
    "rkbench_tasks": ("task", BaseTask),
}
"""Hook -> what it brings, and its type."""


@dataclass
class Plugin:
    """One plugin: who it is, what it brought, and what is wrong with it.

    ``path`` is that of a single file which the user names; ``code`` is where the module was found.
    ``problems`` refuse an item or the whole plugin; ``notes`` (such as a corrected claim) do not.
    """

    name: str
    distribution: str
    version: str = ""
    path: str = ""
    code: str = ""
    brought: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        """How messages name it."""
        return self.path or f"{self.distribution} {self.version}".strip()

    @cached_property
    def digest(self) -> str:
        """What its code is: a hash of its file or package, with the distribution and its version if it has one."""
        code = source.digest(Path(self.code)) if self.code else ""
        return code if self.path else f"{self.distribution} {self.version} {code}"

    @property
    def status(self) -> str:
        """ok, partly refused or failed."""
        if not self.problems:
            return "ok"
        return "partly refused" if self.brought else "failed"


@dataclass(frozen=True)
class Registry:
    """Everything that plugins brought, by kind and name."""

    plugins: tuple[Plugin, ...]
    items: Mapping[str, Mapping[str, Any]]
    owners: Mapping[tuple[str, str], Plugin]

    def _get(self, kind: str, name: str) -> Any:
        if name not in self.items[kind]:
            raise unknown(kind, name, sorted(self.items[kind]))
        return self.items[kind][name]

    def method(self, name: str) -> ButcherTableau:
        """Return a method by name, or raise `UnknownNameError` with the nearest ones."""
        return self._get("method", name)

    def controller(self, name: str) -> StepController:
        """Return a controller by name."""
        return self._get("controller", name)

    def engine(self, name: str) -> Engine:
        """Return an engine by name."""
        return self._get("engine", name)

    def task(self, name: str) -> BaseTask:
        """Return a task by name, whatever its kind; options may follow in brackets, see `rkbench.variation`."""
        base, options = variation.parted(name)
        return variation.varied(self._get("task", base), name, options)

    @property
    def methods(self) -> Mapping[str, ButcherTableau]:
        """All methods, sorted by name."""
        return self.items["method"]

    @property
    def controllers(self) -> Mapping[str, StepController]:
        """All controllers, sorted by name."""
        return self.items["controller"]

    @property
    def engines(self) -> Mapping[str, Engine]:
        """All engines, sorted by name."""
        return self.items["engine"]

    @property
    def tasks(self) -> Mapping[str, BaseTask]:
        """All tasks, sorted by name."""
        return self.items["task"]

    def owner(self, kind: str, name: str) -> Plugin:
        """Return the plugin that brought an item, or raise `UnknownNameError`."""
        if kind == "task":
            name, _ = variation.parted(name)
        self._get(kind, name)
        return self.owners[kind, name]

    def broken(self) -> list[Plugin]:
        """Return the plugins something is wrong with."""
        return [plugin for plugin in self.plugins if plugin.problems]


def load(files: Iterable[str | Path] = ()) -> Registry:
    """Load every installed plugin of the entry-point group ``rkbench``, and single files.

    A broken plugin is kept in ``Registry.plugins`` with its reason.
    """
    found = [(_installed(entry), entry.load) for entry in _entries()]
    once = {Path(path).resolve(): path for path in files}
    found += [(_single_file(path), _importer(path)) for path in once.values()]
    offers: list[tuple[Plugin, str, Any]] = []
    for plugin, importer in found:
        offers += _ask(plugin, importer)
    return _settle(tuple(plugin for plugin, _ in found), offers)


@cache
def default() -> Registry:
    """Return the registry of the installed plugins, loaded once in a process."""
    return load()


def _entries() -> list[EntryPoint]:
    """Entry points, our own first, then by distribution and name; one per distribution and name."""
    found = {
        (entry.dist.name if entry.dist else "", entry.name): entry for entry in entry_points(group=GROUP)
    }
    return [found[key] for key in sorted(found, key=lambda key: (key[0] != OWN_DISTRIBUTION, key))]


def _installed(entry: EntryPoint) -> Plugin:
    dist = entry.dist
    return Plugin(entry.name, dist.name if dist else "unknown", dist.version if dist else "")


def _single_file(path: str | Path) -> Plugin:
    return Plugin(Path(path).stem, "file", path=str(path))


def _importer(path: str | Path):
    """Return a function that imports one file under a name nobody else uses."""

    def importer() -> ModuleType:
        file = Path(path)
        if not file.is_file():
            raise PluginError("There is no such file; give the path of a Python file.")
        place = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]
        spec = importlib.util.spec_from_file_location(f"rkbench_plugin_{file.stem}_{place}", file.resolve())
        if spec is None or spec.loader is None:
            raise PluginError("It is not a Python file; its name must end in .py.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return importer


def _ask(plugin: Plugin, importer: Any) -> list[tuple[Plugin, str, Any]]:
    """Load one plugin; its output goes nowhere, its warnings to the notes, and what it changed for others is put back."""
    offers: list[tuple[Plugin, str, Any]] = []
    quiet = (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()))
    with (
        surroundings.pressed() as stopped,
        surroundings.told_if_slow(plugin.owner),
        surroundings.kept() as changed,
        warnings.catch_warnings(record=True) as caught,
        quiet[0],
        quiet[1],
    ):
        warnings.simplefilter("always")
        try:
            for offer in _offered(plugin, importer):  # what it offered before it failed counts
                offers.append(offer)
        except BaseException as error:  # a plugin may raise anything, SystemExit included
            if isinstance(error, KeyboardInterrupt) and stopped():
                raise
            plugin.problems.append(printable(_reason(error)))
    plugin.notes += [
        printable(str(warning.message)) for warning in caught if issubclass(warning.category, UserWarning)
    ]
    if changed:
        plugin.notes.append(
            f"{plugin.owner} changed {', '.join(changed)} while it was loaded; that was undone, so that nothing else is "
            "measured with it. Let its engine or task set what it needs when it is used."
        )
    return offers


def _offered(plugin: Plugin, importer: Any) -> Iterator[tuple[Plugin, str, Any]]:
    """Import one plugin, validate it and yield what its hooks bring."""
    module = importer()
    plugin.code = getattr(module, "__file__", None) or ""
    manager = _registered(module)
    for hook, (kind, wanted) in KINDS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            yield from _accepted(plugin, hook, kind, wanted, implementation.function)


def _registered(module: Any) -> pluggy.PluginManager:
    """Return a manager that holds this plugin alone; refuses hooks that pluggy would silently pass over."""
    named = {name: getattr(module, name, None) for name in dir(module)}
    marked = {name for name, thing in named.items() if isinstance(getattr(thing, "rkbench_impl", None), dict)}
    meant = {name for name, thing in named.items() if name.startswith("rkbench_") and isroutine(thing)}
    for name in sorted(marked | meant):
        if name not in KINDS:
            raise PluginError(f"There is no hook {name}; the hooks are {', '.join(KINDS)}.")
        if name not in marked:
            raise PluginError(
                f"{name} is not marked as a hook; write @hookimpl above it (from rkbench import hookimpl)."
            )
    if not marked:
        raise PluginError("It has no hook; write a function such as rkbench_methods and @hookimpl above it.")
    manager = pluggy.PluginManager("rkbench")
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    return manager


def _accepted(
    plugin: Plugin, hook: str, kind: str, wanted: type, function: Any
) -> list[tuple[Plugin, str, Any]]:
    items = function()
    if not isinstance(items, (list, tuple)):
        plugin.problems.append(
            f"{hook} returned {type(items).__name__}; return a list of {wanted.__name__}s."
        )
        return []
    good = []
    for item in items:
        # A class has the attributes that an Engine must have, but nobody made an engine of it yet.
        name = getattr(item, "name", None)
        if not isinstance(item, wanted) or isinstance(item, type) or not isinstance(name, str):
            plugin.problems.append(
                f"{hook} returned {item!r:.60}, which is not a {wanted.__name__}; remove or build it."
            )
        elif not name or printable(name) != name:
            plugin.problems.append(
                f"The {kind} {name!r:.60} has a name that no terminal can show; rename it."
            )
        else:
            good.append((plugin, kind, item))
    return good


def _reason(error: BaseException) -> str:
    """One sentence: a user error speaks for itself, anything else is named with its place."""
    if isinstance(error, UserError):
        return str(error)
    text = str(error).strip().splitlines()
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != __file__ and not name.startswith("<"):
            place = f" ({Path(name).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {text[0] if text else 'no message'}{place}."


def _settle(plugins: tuple[Plugin, ...], offers: list[tuple[Plugin, str, Any]]) -> Registry:
    """Give each name to its owner. A built-in keeps its name; two strangers of one name are both refused."""
    items: dict[str, dict[str, Any]] = {kind: {} for kind, _ in KINDS.values()}
    owners: dict[tuple[str, str], Plugin] = {}
    claims: dict[tuple[str, str], list[tuple[Plugin, Any]]] = {}
    for plugin, kind, item in offers:
        claims.setdefault((kind, item.name), []).append((plugin, item))
    for (kind, name), claimants in claims.items():
        winner = _winner(kind, name, claimants)
        if winner is not None:
            plugin, items[kind][name] = winner
            owners[kind, name] = plugin
            plugin.brought.append(f"{kind} {name}")
    return Registry(plugins, {kind: dict(sorted(named.items())) for kind, named in items.items()}, owners)


def _winner(kind: str, name: str, claimants: list[tuple[Plugin, Any]]) -> tuple[Plugin, Any] | None:
    """Return who gets the name, and tell the others whom they clash with."""
    own = [claim for claim in claimants if claim[0].distribution == OWN_DISTRIBUTION]
    winner = own[0] if own else claimants[0] if len(claimants) == 1 else None
    owners = " and ".join(plugin.owner for plugin, _ in claimants)
    for claim in claimants:
        if claim is not winner:
            claim[0].problems.append(
                f"The {kind} {name!r} is refused: {owners} each bring one of that name; rename it."
            )
    return winner
