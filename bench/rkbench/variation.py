"""Tasks with other options than their own, asked for by name: ``mnist8_tanh[augment=16, epochs=3]``.

The options are part of the name, so a report keeps the variants apart, and of a cell's identity.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields, replace
from functools import partial
from typing import Any

from rkbench.errors import UnknownNameError, UserError
from rkbench.task import BaseTask, Recipe

OWN = ("samples", "kinetic", "jacobian", "target")
"""Options that are fields of a task."""

RECIPE = tuple(field.name for field in fields(Recipe))
"""Options that are fields of its recipe."""

PLAIN = (bool, int, float, str, type(None))
"""Types of what options are by default; what else a function was given beforehand, such as a system of equations, is none."""

LARGEST = 1e15
"""No number among options may be larger."""

_NAME = re.compile(r"(?P<base>[^\[\]]+)\[(?P<options>[^\[\]]*)\]")


def parted(name: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a task without its options, and the options; values are JSON, or else text.

    Raises:
        UserError: brackets that hold something else than name=value, …, or a name twice.
    """
    if "[" not in name and "]" not in name:
        return name, {}
    found = _NAME.fullmatch(name) if name.isprintable() else None
    pairs = [pair.partition("=") for pair in found["options"].split(",")] if found else []
    given = {key.strip(): value.strip() for key, _, value in pairs}
    if not found or len(given) < len(pairs) or not all(key and value for key, value in given.items()):
        raise UserError(
            f"{name!r:.100} is no task with options; write it like mnist8_tanh[augment=16, epochs=3]."
        )
    return found["base"], {key: _value(value) for key, value in given.items()}


def varied(task: BaseTask, name: str, given: dict[str, Any]) -> BaseTask:
    """Return the task with other options, under another name.

    Raises:
        UnknownNameError: an option that this task does not have.
        UserError: a value that is of another type, or that the recipe refuses; or a task without options.
    """
    if not given:
        return task
    if not task.built_by:
        raise UserError(
            f"Only tasks that train a network or follow a signal have options; drop those of {name}."
        )
    known = options(task)
    for key, value in given.items():
        if key not in known:
            raise UnknownNameError(f"{name} has no option {key!r:.60}; choose one of: {', '.join(known)}.")
        _check(key, value, known[key])
    recipe = getattr(task, "recipe", None)
    fields_of_task = [key for key in OWN if hasattr(task, key)]
    own: dict[str, Any] = {key: value for key, value in given.items() if key in fields_of_task}
    built = {key: value for key, value in given.items() if key not in (*fields_of_task, *RECIPE)}
    if recipe is not None:
        own["recipe"] = replace(recipe, **{key: value for key, value in given.items() if key in RECIPE})
    if built:
        own[task.built_by] = partial(getattr(task, task.built_by), **built)
    made: Any = task
    return replace(made, name=name, **own)


def options(task: BaseTask) -> dict[str, Any]:
    """Return the options of a task with their values: its own, its recipe's if it has one, and those of what it builds.

    These are the parameters that the function takes by keyword only, which a plugin's has, too.
    """
    own = {name: getattr(task, name) for name in OWN if hasattr(task, name)}
    recipe = getattr(task, "recipe", None)
    if recipe is not None:
        own |= {name: getattr(recipe, name) for name in RECIPE}
    return own | of_builder(task)


def of_builder(task: BaseTask) -> dict[str, Any]:
    """Return the options of what a task builds, with their values; none for a task that builds nothing."""
    if not task.built_by:
        return {}
    parameters = inspect.signature(getattr(task, task.built_by)).parameters.values()
    named = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return {name: value for name, value in named.items() if isinstance(value, PLAIN)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _check(name: str, value: Any, default: Any) -> None:
    """Refuse a value of another type than the option has; a whole number may stand for any."""
    kinds = {bool: (bool,), int: (int,), float: (int, float), str: (str,), type(None): (int,)}.get(
        type(default)
    )
    wrong = isinstance(value, bool) is not isinstance(default, bool)
    if kinds is None or wrong or not isinstance(value, kinds):
        raise UserError(f"{name} = {value!r:.60} is of the wrong type; it is {default!r} unless given.")
    if not isinstance(value, (str, bool)) and not abs(value) <= LARGEST:
        raise UserError(f"{name} = {value!r:.60} is beyond all measure; it is {default!r} unless given.")
