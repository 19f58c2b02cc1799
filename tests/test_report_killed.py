"""A report whose writer was killed leaves nothing for good: the next one sweeps what nobody writes any more."""

import os
import platform
import subprocess
import sys

import pytest

from rkbench.report.write import _replacing


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def folder(parent, word, process, host=None):
    path = parent / f".report-{word}-{host or platform.node()}-{process}"
    path.mkdir()
    (path / "index.html").write_text(word)
    return path


def replace(target):
    with _replacing(target) as fresh:
        (fresh / "index.html").write_text("fresh")


def test_what_a_killed_writer_left_is_swept(tmp_path, dead):
    left = [folder(tmp_path, word, dead) for word in ("new", "old")]
    (tmp_path / "report").mkdir()
    replace(tmp_path / "report")
    assert not any(path.exists() for path in left)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_the_report_that_a_killed_writer_had_moved_aside_comes_back(tmp_path, dead):
    folder(tmp_path, "old", dead)
    folder(tmp_path, "new", dead)
    with pytest.raises(RuntimeError), _replacing(tmp_path / "report"):
        raise RuntimeError("this one fails, too")
    assert (tmp_path / "report" / "index.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_a_living_writer_or_another_machine_writes_is_left_alone(tmp_path, dead):
    theirs = [folder(tmp_path, "new", os.getppid()), folder(tmp_path, "new", dead, "elsewhere")]
    replace(tmp_path / "report")
    assert all(path.exists() for path in theirs)
