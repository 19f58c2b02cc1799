"""The process beside a Dask worker: it answers line by line, cleans up after itself, and takes its cell along."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from rkbench import registry
from rkbench.cluster import facts, within

PLUGIN = """
from rkbench import ButcherTableau, Citation, hookimpl

print("this is no answer")

@hookimpl
def rkbench_methods():
    return [ButcherTableau(name="mine", order=1, c=(0,), a=((),), b=(1,), source=Citation("Mine", 2026))]
"""
ITEMS = {"method": ["mine", "rk4"]}


@contextmanager
def agent(folder):
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "rkbench.cluster.agent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    with process:
        yield process


def ask(process, request):
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@pytest.fixture(scope="module")
def story(short_folder):
    """What an agent says of a plugin that it is sent, what lies about meanwhile, and how it ends."""
    folder = short_folder()
    needs = {"items": ITEMS, "facts": {"Python": "another"}, "datasets": [], "device": "cpu"}
    files = [{"name": "mine.py", "text": PLUGIN}]
    with agent(folder) as process:
        answer = ask(process, {"check": needs, "files": files})
        again = ask(process, {"check": needs, "files": files})
        during = [path.name for path in folder.rglob("*.py")]
        process.stdin.close()
        code = process.wait(20)
    return answer, again, during, code, list(folder.iterdir())


def test_a_plugin_that_is_sent_is_the_same_code_there(story, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    answer, again, during, _, _ = story
    assert answer["facts"] == facts.facts(ITEMS, registry.load([file]))
    assert again == answer | {"about": again["about"]}
    assert during == ["mine.py"]


def test_it_says_which_machine_it_is_on_and_looks_at_no_data_where_the_code_differs(story):
    answer, *_ = story
    assert answer["about"]["cores"] == os.cpu_count()
    assert answer["kernel"]
    assert "datasets" not in answer


def test_it_ends_with_its_input_and_leaves_nothing_behind(story):
    *_, code, left = story
    assert code == 0
    assert left == []


def test_a_cell_is_not_measured_in_the_surroundings_that_dask_makes(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    found = within._environment()
    assert "MALLOC_TRIM_THRESHOLD_" not in found
    assert found["MKL_NUM_THREADS"] == "7"
    assert found["PATH"] == os.environ["PATH"]
