"""The memory of a cell is that of all its processes, pages that they share counted once."""

import os
import time

import psutil
import pytest

from rkbench import appetite, suite
from rkbench.appetite import MIB, Appetite
from rkbench.errors import SuiteError

SIZE = 64 * MIB

# Python 3.12 and later warn of it; what is forked here does nothing that could wait for a thread.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def forked():
    """A process with a given action, which then waits to be killed."""
    started = []

    def start(action=lambda: None):
        ready, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            kept = action()  # noqa: F841, it is to stay in memory
            os.write(told, b".")
            time.sleep(60)
            os._exit(0)
        started.append(pid)
        os.read(ready, 1)
        os.close(ready)
        os.close(told)
        return pid

    yield start
    for pid in started:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def watched(pid):
    """Return the watch of a process whose family is due to be looked at."""
    watch = Appetite(pid)
    watch._next = 0.0
    return watch


def touched():
    return bytearray(b"x") * SIZE


def own_mb(pid):
    return psutil.Process(pid).memory_full_info().uss / MIB


def test_what_a_process_takes_for_itself_counts(forked):
    pid = forked(touched)
    assert watched(pid).excessive(SIZE / MIB / 2)
    assert not watched(pid).excessive(10_000)


def test_what_its_children_take_counts_too(forked):
    pid = forked(lambda: forked(touched))
    children = psutil.Process(pid).children()
    try:
        assert own_mb(pid) < SIZE / MIB / 2
        assert watched(pid).excessive(SIZE / MIB)
    finally:
        for child in children:
            child.kill()


def test_pages_that_forked_processes_share_count_once(forked):
    block = touched()  # noqa: F841, shared by all below
    pid = forked(lambda: [forked() for _ in range(8)])
    children = psutil.Process(pid).children()
    try:
        resident = sum(one.memory_info().rss for one in (psutil.Process(pid), *children)) / MIB
        assert resident > 9 * SIZE / MIB
        assert not watched(pid).excessive(resident / 2)
    finally:
        for child in children:
            child.kill()


def test_children_are_looked_for_now_and_then_only(forked, monkeypatch):
    pid, looks = forked(), []
    monkeypatch.setattr(appetite, "_below", lambda head: looks.append(1) or [])
    watch = Appetite(pid)
    for _ in range(5):
        assert not watch.excessive(10_000)
    assert looks == []


def test_a_process_that_is_gone_takes_nothing(forked):
    assert not watched(2**22 - 1).excessive(0.0)


def test_the_machine_is_shared_among_the_cells_that_run_at_a_time():
    whole = psutil.virtual_memory().total / MIB
    assert appetite.fair_limit_mb(1) == pytest.approx(0.9 * whole)
    assert appetite.fair_limit_mb(3) == pytest.approx(0.3 * whole)


def test_a_limit_that_no_cell_could_keep_is_refused():
    with pytest.raises(SuiteError, match="memory_limit_mb must be"):
        suite.select(suite.load("quick"), memory_limit_mb=0.0)
