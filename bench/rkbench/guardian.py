"""What the server of cells does besides forking them: nothing that a cell started outlives the runner.

The server imports this module for what it does there; anywhere else it does nothing. A process that left its cell's
process group, a daemon, becomes the server's child when its own parents have ended (on Linux), so that it is found. When
the runner dies, however it does, the server ends every process below itself, even one that holds Python's lock for ever.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Collection
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

import psutil

SET_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
"""Options of Linux's prctl(2): the signal when the parent dies, and who adopts orphans."""


def guard() -> None:
    """Adopt the orphans of all below this process, and end them when its parent dies."""
    # It reaps children that it did not fork, too, and would say so on the user's screen.
    warnings.filterwarnings("ignore", "forkserver: waitpid returned unexpected pid")
    server, owner = os.getpid(), os.getppid()
    folder, alive = _given()

    def remove_folder() -> None:  # which a killed runner could not
        if folder.name.startswith("pymp-"):
            shutil.rmtree(folder, ignore_errors=True)

    def parted(*_: object) -> None:
        if os.getpid() == server and os.getppid() != owner:  # else it was a thread of the owner's that ended
            end_children(server)
            remove_folder()
            os._exit(0)

    def ended() -> None:
        if os.getpid() == server:
            end_children(server)
            failed = hasattr(
                sys, "last_value"
            )  # then a living owner may want another server, in the same folder
            if os.getppid() != owner or not failed:
                remove_folder()

    adopt_orphans()
    atexit.register(ended)
    signal.signal(signal.SIGTERM, parted)
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if select.select([alive], [], [], 0)[0]:  # it died before it could be asked to send that signal
        sys.exit()


def adopt_orphans() -> None:
    """Have a process whose parents end become this one's child, if it is below this one; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children(pid: int, spared: Callable[[], Collection[int]] = frozenset) -> int:
    """Kill the children of a process, and theirs as it adopts them, and return how many were killed.

    Args:
        pid: of the process; where it is gone, nobody is killed.
        spared: returns those of its children that live on.
    """
    killed: set[int] = set()
    while found := [child for child in _children(pid) if child.pid not in spared()]:
        for child in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
                killed.add(child.pid)
        time.sleep(0.005)
    return len(killed)


def _children(pid: int) -> list[psutil.Process]:
    """Return the living children; one that has ended and waits to be reaped is none."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in psutil.Process(pid).children() if _lives(child)]
    return []


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return False


def server_pid() -> int | None:
    """Return the process number of the server that this process started, if it did."""
    return getattr(forkserver._forkserver, "_forkserver_pid", None)  # nothing public tells it


def leave_server() -> None:
    """Let go of what a forked process has of the server: it cannot disturb it, and what it needs it starts itself."""
    for holder, pipe, fresh in (
        (forkserver._forkserver, "_forkserver_alive_fd", {"_forkserver_address": None}),
        (resource_tracker._resource_tracker, "_fd", {}),
    ):
        handle = vars(holder).get(pipe)
        if handle is not None:
            os.close(handle)
        vars(holder).update(fresh | {pipe: None})


def _given() -> tuple[Path, int]:
    """Return the folder of the server's socket, and the pipe that ends with its owner: arguments of its main()."""
    numbers = re.search(r"main\((\d+), (\d+), ", sys.orig_argv[-1])
    assert numbers, sys.orig_argv
    with socket.socket(fileno=os.dup(int(numbers[1]))) as listener:
        return Path(listener.getsockname()).parent, int(numbers[2])


if sys.platform == "linux" and "multiprocessing.forkserver" in sys.orig_argv[-1]:
    guard()
