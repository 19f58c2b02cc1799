"""`rkbench new-plugin` writes a distribution that works at once; the example in plugins/ is one of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rkbench.errors import PluginError
from rkbench.new_plugin import create, render

EXAMPLE = Path(__file__).parents[1] / "plugins" / "rkbench-example"


def test_the_example_is_what_new_plugin_writes():
    written = {file: (EXAMPLE / file).read_text("utf-8") for file in render("example")}
    assert written == render("example")


def test_the_example_holds_nothing_else():
    kept = {path for path in EXAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path.relative_to(EXAMPLE).as_posix() for path in kept} == set(render("example"))


@pytest.mark.parametrize("task", [False, True])
def test_a_new_plugin_passes_its_own_tests_once_it_is_installed(tmp_path, task):
    folder = create("my-pair", into=tmp_path, task=task)
    site = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    _python("-m", "pip", "--disable-pip-version-check", *install, str(folder))
    passed = _python("-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder, path=site)
    assert " passed" in passed
    assert "skipped" not in passed


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("MyPair", "'MyPair' cannot name a plugin; use lower-case letters"),
        ("my--pair", "'my--pair' cannot name a plugin"),
        ("../pair", "'../pair' cannot name a plugin"),
        ("", "'' cannot name a plugin"),
        ("rkbench-pair", "leave the leading rkbench out."),
        ("solvers", "The package rkbench_solvers is one of rkbench's own; choose another name."),
        ("rk4", "The name 'rk4' is built in and stays where it is; choose another name."),
    ],
)
def test_a_name_that_cannot_work_is_refused_in_a_sentence(tmp_path, name, sentence):
    with pytest.raises(PluginError) as refusal:
        create(name, into=tmp_path)
    assert sentence in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path):
    notes = create("pair", into=tmp_path) / "README.md"
    notes.write_text("mine", encoding="utf-8")
    with pytest.raises(PluginError, match=r"exists already; choose another name, or move it away\."):
        create("pair", into=tmp_path)
    assert notes.read_text("utf-8") == "mine"


def _python(*arguments: str, cwd: Path | None = None, path: Path | None = None) -> str:
    """Run this Python on its arguments, with ``path`` importable first, and return what it printed."""
    environment = os.environ | ({"PYTHONPATH": _first(path)} if path else {})
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _first(path: Path) -> str:
    return os.pathsep.join([str(path), *filter(None, [os.environ.get("PYTHONPATH")])])
