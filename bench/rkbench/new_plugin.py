"""`rkbench new-plugin`: write a complete plugin distribution, whose own tests pass at once.

``plugins/rkbench-example`` in the repository is exactly what this writes for the name ``example``.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from rkbench.errors import PluginError
from rkbench.registry import OWN_DISTRIBUTION, default

FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    "src/rkbench_{stem}/__init__.py": "init.py.j2",
    "src/rkbench_{stem}/method.py": "method.py.j2",
    "src/rkbench_{stem}/controller.py": "controller.py.j2",
    "tests/test_promises.py": "test_promises.py.j2",
}
"""Each file of a distribution with a method, and the template it comes from."""

FILES_OF_TASK = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "task_README.md.j2",
    "src/rkbench_{stem}/__init__.py": "task_init.py.j2",
    "src/rkbench_{stem}/task.py": "task.py.j2",
    "tests/test_task.py": "test_task.py.j2",
}
"""The same of a distribution with a task."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

OUR_PACKAGES = ("solvers", "asv")
"""Names whose package ``rkbench_<name>`` would shadow one of ours."""


def create(name: str, into: Path, *, task: bool = False) -> Path:
    """Write the distribution ``rkbench-<name>`` below ``into`` and return its folder.

    Args:
        name: lower-case words joined by hyphens; the method or task is named like it, with underscores.
        into: the folder to write into; made when missing.
        task: whether it brings a task, a model of the author's own, instead of a method.

    Raises:
        PluginError: the name cannot be used, or the folder exists already or cannot be written.
    """
    _refuse(name)
    folder = into / f"rkbench-{name}"
    try:
        _write(folder, render(name, FILES_OF_TASK if task else FILES))
    except OSError as error:
        raise PluginError(
            f"{folder} cannot be written ({error.strerror}); name another folder with --into."
        ) from None
    return folder


def _write(folder: Path, texts: dict[str, str]) -> None:
    if folder.exists():
        raise PluginError(f"{folder} exists already; choose another name, or move it away.")
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def render(name: str, templates: dict[str, str] = FILES) -> dict[str, str]:
    """Return the text of every file of the distribution, by its path."""
    from jinja2 import Environment, StrictUndefined

    what = (
        "A model of its own"
        if templates is FILES_OF_TASK
        else "A Runge-Kutta method and a step-size controller"
    )
    words = {"name": name, "stem": _stem(name), "what": what}
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    folder = files("rkbench") / "template"
    return {
        path.format(**words): environment.from_string((folder / template).read_text("utf-8")).render(words)
        for path, template in templates.items()
    }


def _stem(name: str) -> str:
    return name.replace("-", "_")


def _refuse(name: str) -> None:
    if not NAME.fullmatch(name):
        raise PluginError(
            f"{name!r} cannot name a plugin; use lower-case letters and digits, with words joined by "
            "hyphens, such as my-pair."
        )
    if name.split("-")[0] == "rkbench":
        raise PluginError(f"{name!r} would become rkbench-{name}; leave the leading rkbench out.")
    if name in OUR_PACKAGES:
        raise PluginError(f"The package rkbench_{name} is one of rkbench's own; choose another name.")
    method = _stem(name)
    if method in _built_in():
        raise PluginError(f"The name {method!r} is built in and stays where it is; choose another name.")


def _built_in() -> set[str]:
    plugins = default()
    named = [("method", name) for name in plugins.methods] + [("task", name) for name in plugins.tasks]
    return {name for kind, name in named if plugins.owner(kind, name).distribution == OWN_DISTRIBUTION}
