"""What comes over a cell's pipe is a message or refused; it never blocks its reader, however it is cut."""

import multiprocessing
import os
import threading
import time

import pytest

from rkbench import mailbox
from rkbench.mailbox import Garbled, Reader


@pytest.fixture
def ends():
    """A reader and the writing end of its pipe."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    reader = Reader(ours)
    yield reader, theirs
    reader.close()
    theirs.close()


def test_messages_come_one_by_one_in_order(ends):
    reader, pipe = ends
    for number in range(3):
        mailbox.write(pipe, {"epoch": number})
    assert [reader.next(1) for _ in range(3)] == [{"epoch": 0}, {"epoch": 1}, {"epoch": 2}]
    assert reader.next(0) is None


def test_a_message_larger_than_the_pipe_comes_whole(ends):
    reader, pipe = ends
    message = {"record": "x" * 10**6}
    writer = threading.Thread(target=mailbox.write, args=(pipe, message))
    writer.start()
    assert reader.next(10) == message
    writer.join()


def test_half_a_message_keeps_nobody_waiting_beyond_the_time_given(ends):
    reader, pipe = ends
    os.write(pipe.fileno(), b'{"record": ')
    start = time.monotonic()
    assert reader.next(0.05) is None
    assert time.monotonic() - start < 5
    os.write(pipe.fileno(), b"1}\n")
    assert reader.next(1) == {"record": 1}


@pytest.mark.parametrize("line", [b"\x80\x04\x95", b"[1]", b"3", b"", b"{", b"[" * 10_000])
def test_rubbish_is_refused_and_what_follows_is_read(ends, line):
    reader, pipe = ends
    os.write(pipe.fileno(), line + b'\n{"note": ""}\n')
    with pytest.raises(Garbled):
        reader.next(1)
    assert reader.next(1) == {"note": ""}


def test_a_line_without_end_is_refused(ends, monkeypatch):
    monkeypatch.setattr(mailbox, "LONGEST", 1000)
    reader, pipe = ends
    os.write(pipe.fileno(), b"x" * 2000)
    with pytest.raises(Garbled, match="a line of more than"):
        reader.next(1)


def test_a_closed_pipe_is_told_after_all_that_was_said(ends):
    reader, pipe = ends
    os.write(pipe.fileno(), b'{"note": ""}\n{"torn')
    pipe.close()
    assert reader.next(1) == {"note": ""}
    with pytest.raises(EOFError):
        reader.next(1)
