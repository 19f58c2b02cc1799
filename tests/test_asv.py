"""The asv suite is one that asv accepts, and avoids the two traps that silently spoil a history."""

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIG = json.loads((ROOT / "asv.conf.json").read_text("utf-8"))
MODULES = sorted((ROOT / CONFIG["benchmark_dir"]).glob("*.py"))


def test_asv_accepts_the_suite(tmp_path):
    command = [sys.executable, "-m", "asv", "check", "-E", "existing:same"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert "No problems found." in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.stem)
def test_asv_can_load_a_module_without_waiting_for_torch(module):
    tree = ast.parse(module.read_text("utf-8"))
    imported = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [line for line in imported if "torch" in line or "rkbench" in line] == []


def test_every_series_keeps_its_history_when_its_code_is_edited():
    assert [series for series in _series() if series.version != "1"] == []


def test_every_time_has_samples_enough_to_be_called_different():
    timed = [series for series in _series() if any(name.startswith("time_") for name in vars(series))]
    assert len(timed) >= 3
    assert [series for series in timed if series.rounds * series.repeat < 7] == []


def test_the_paths_in_the_configuration_exist():
    assert (ROOT / CONFIG["benchmark_dir"] / "__init__.py").is_file()
    scripts = [word for line in CONFIG["install_command"] for word in line.split() if word.endswith(".py")]
    plugins = [name.strip(".").replace(".", "/") + ".py" for name in CONFIG["plugins"]]
    assert scripts == plugins
    assert [path for path in scripts if not (ROOT / path).is_file()] == []


def _series() -> list[type]:
    """Return the benchmark classes of the suite, which is not installed and so loaded from its folder."""
    folder = ROOT / CONFIG["benchmark_dir"]
    spec = spec_from_file_location(
        "rkbench_asv", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["rkbench_asv"] = module_from_spec(spec)
    modules = [import_module(f"rkbench_asv.{file.stem}") for file in MODULES if file.stem != "__init__"]
    classes = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [
        series for series in classes if any(name.startswith(("time_", "track_")) for name in vars(series))
    ]
