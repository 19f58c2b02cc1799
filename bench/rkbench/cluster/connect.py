"""A client of a Dask cluster: of a scheduler by its address, or of workers started here for the length of a run."""

from __future__ import annotations

import contextlib
import logging
import signal
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rkbench.errors import RunError

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local:"

CONNECT_SECONDS = 10.0


@contextlib.contextmanager
def connected(address: str) -> Iterator[Client]:
    """Hold a client of the cluster at an address, ``tcp://HOST:PORT`` or ``local:N`` for N workers on this machine.

    Raises:
        RunError: Dask is not installed, the address is none, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise RunError(
            'The package distributed is not installed, which --dask needs; install it: pip install "rkbench[dask]".'
        ) from None
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet("distributed"))
        target = stack.enter_context(_local(workers(address))) if address.startswith(LOCAL) else address
        try:
            client = Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RunError(
                f"No Dask scheduler answers at {address!r} ({str(error).splitlines()[0]}); give the address that "
                "`dask scheduler` prints, such as tcp://host:8786, or local:4 for four workers here."
            ) from None
        yield stack.enter_context(client)


def workers(address: str) -> int:
    """Return N of ``local:N``.

    Raises:
        RunError: it is no positive number.
    """
    text = address.removeprefix(LOCAL)
    if not text.isdecimal() or not int(text):
        raise RunError(f"{address!r} names no number of workers; give --dask local:4, say.")
    return int(text)


QUIETLY: dict[str, Any] = {
    "threads_per_worker": 1,
    "processes": True,
    "host": "127.0.0.1",
    "scheduler_kwargs": {"dashboard": False, "dashboard_address": "127.0.0.1:0"},
    "memory_limit": None,
    "silence_logs": logging.CRITICAL,
}
"""How workers are started on this machine: each a process with one thread, reached by nobody else."""


@contextlib.contextmanager
def _local(count: int) -> Iterator[object]:
    """Start workers on this machine, and leave no file behind; one alone may have the GPU."""
    from dask import config
    from distributed import LocalCluster

    gpu = {"GPU": 1} if count == 1 else {}
    with (
        tempfile.TemporaryDirectory(prefix="rkbench-dask-") as folder,
        config.set({"temporary-directory": folder}),
        contextlib.ExitStack() as stack,
    ):
        with _deaf():
            try:
                cluster = stack.enter_context(LocalCluster(n_workers=count, resources=gpu, **QUIETLY))
            except RuntimeError as error:
                raise RunError(
                    f"{count} workers could not be started here ({error}); start fewer, or close other programs."
                ) from None
        yield cluster


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl-C: a terminal sends it to all of them, and the client ends them."""
    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a library's log off the screen; what matters in it is told in a sentence."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
