"""The wheel holds all that rkbench needs, nothing else, and works without the checkout."""

import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"rkbench": ROOT / "bench" / "rkbench", "rkbench_solvers": ROOT / "plugins" / "rkbench_solvers"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    _python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def test_the_wheel_holds_every_file_of_the_two_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert shipped == {f"{name}/{file}" for name, folder in PACKAGES.items() for file in _files(folder)}


def test_what_is_not_python_is_shipped_too(wheel):
    with zipfile.ZipFile(wheel) as archive:
        suffixes = {Path(name).suffix for name in archive.namelist() if name.startswith("rkbench/")}
    assert {".toml", ".j2", ".gz"} <= suffixes


def test_the_wheel_announces_the_command_and_the_built_ins(wheel):
    entry_points = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        entry_points.read_string(archive.read(name).decode())
    assert dict(entry_points["console_scripts"]) == {"rkbench": "rkbench.cli:main"}
    assert dict(entry_points["rkbench"]) == {"solvers": "rkbench_solvers", "tasks": "rkbench.tasks"}


def test_the_wheel_finds_its_own_methods_away_from_the_checkout(site, tmp_path):
    listed = _python("-P", "-m", "rkbench.cli", "list", "methods", cwd=tmp_path, path=site)
    assert "dopri5" in listed
    assert "euler" in listed


def test_the_wheel_reads_its_suites_and_its_data_away_from_the_checkout(site, tmp_path):
    code = (
        "import rkbench, rkbench_solvers; from rkbench import data, suite; from rkbench.new_plugin import render\n"
        "print(rkbench.__file__, rkbench_solvers.__file__)\n"
        "print(suite.load('quick').name, len(data.load('digits8').x_test), len(render('mine')))"
    )
    homes, read = _python("-P", "-c", code, cwd=tmp_path, path=site).splitlines()
    assert [Path(home).is_relative_to(site) for home in homes.split()] == [True, True]
    assert read == "quick 359 6"


def _files(folder: Path) -> set[str]:
    """Return the files of a package, without what Python leaves behind."""
    kept = {file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    return {file.relative_to(folder).as_posix() for file in kept}


def _python(*arguments: str, cwd: Path | None = None, path: Path | None = None) -> str:
    """Run this Python, with ``path`` before all else that is installed, and return what it printed."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
