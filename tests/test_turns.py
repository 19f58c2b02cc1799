"""Cells whose times count run one at a time on a machine, whichever process or run they belong to."""

import multiprocessing
import tempfile

import pytest

from rkbench import turns


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def _hold(folder, kind, holds, may_end):
    tempfile.tempdir = folder
    with getattr(turns, kind)(lambda sentence: None):
        holds.set()
        may_end.wait(20)


@pytest.fixture
def holder(tmp_path):
    """Another process that has its turn until it is told to end."""
    context, started = multiprocessing.get_context("spawn"), []

    def start(kind):
        holds, may_end = context.Event(), context.Event()
        process = context.Process(target=_hold, args=(str(tmp_path), kind, holds, may_end))
        process.start()
        started.append((process, may_end))
        assert holds.wait(20)
        return may_end

    yield start
    for process, may_end in started:
        may_end.set()
        process.join()


@pytest.mark.parametrize(
    ("theirs", "ours"), [("alone", "alone"), ("together", "alone"), ("alone", "together")]
)
def test_who_wants_to_be_alone_waits_for_the_others_and_they_for_it(holder, theirs, ours):
    may_end, told = holder(theirs), []

    def tell(sentence):
        told.append(sentence)
        may_end.set()

    with getattr(turns, ours)(tell):
        assert told == [turns.WAITING]


def test_those_whose_times_do_not_count_need_not_wait_for_each_other(holder):
    holder("together")
    told = []
    with turns.together(told.append):
        assert not told


def test_a_turn_ends_when_its_holder_dies(tmp_path):
    context = multiprocessing.get_context("spawn")
    holds, may_end = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), "alone", holds, may_end))
    process.start()
    assert holds.wait(20)
    process.kill()
    process.join()
    told = []
    with turns.alone(told.append):
        assert not told
