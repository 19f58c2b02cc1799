"""The process of one cell, and how its owner talks to it.

Cells are forked from a server that has imported torch once, so each starts in milliseconds and shares no state
with another. Messages are JSON lines over a pipe; nothing measured is pickled.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from rkbench import machine, mailbox
from rkbench.appetite import Appetite
from rkbench.errors import RunError
from rkbench.guardian import adopt_orphans, end_children, leave_server, server_pid
from rkbench.log import Log
from rkbench.plan import Cell
from rkbench.turns import unusable_folder

PRELOAD = ["rkbench.guardian", "rkbench.cell", "torch._dynamo"]
"""What the server imports before it forks: its guardian, torch, and what torch would import with the first optimiser."""

PATIENCE = 5.0
"""Seconds that a process has to end in after it closed its pipe."""


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(PRELOAD)


def preload(*modules: str) -> None:
    """Let the server import further modules before it forks; to be called before the first `Worker`."""
    CONTEXT.set_forkserver_preload([*PRELOAD, *modules])


class Worker:
    """One process that runs ``target(send, **arguments)`` in a group of its own, with its output in a log.

    ``cpus`` are those it is tied to, with every thread that it starts; none for any. ``appetite`` watches its memory.

    Raises:
        RunError: no process can be started, or nothing be written into the folder for temporary files.
    """

    _living: ClassVar[set[int]] = set()
    _one_at_a_time: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, target: Callable[..., None], *, cpus: Sequence[int] = (), **arguments: Any) -> None:
        self._log = Log()
        try:
            with self._one_at_a_time:
                self._start(target, list(cpus), arguments)
        except (OSError, EOFError) as error:
            self._log.close()
            raise _not_started(error) from None
        self.appetite = Appetite(self.pid)
        self.started = time.monotonic()

    def _start(self, target: Callable[..., None], cpus: list[int], arguments: dict[str, Any]) -> None:
        ours, theirs = CONTEXT.Pipe(duplex=False)
        with theirs:
            self._mail = mailbox.Reader(ours)
            told = (target, theirs, self._log.passed(), cpus, arguments)
            self._process = CONTEXT.Process(target=_enter, args=told, daemon=True)
            self._process.start()
        self.pid = self._process.pid or 0
        self._living.add(self.pid)

    def message(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, or None when there is none within ``timeout`` seconds.

        Raises:
            EOFError: the process has ended and said all, or closed its pipe.
            Garbled: what it sent is no message.
        """
        self._log.bound()
        return self._mail.next(timeout)

    def ending(self) -> str:
        """Wait for the process and return how it ended: its signal or exit code, and its last words."""
        self._process.join(PATIENCE)
        code = self._process.exitcode
        if code is None:
            how = "it closed its pipe to the runner and went on"
        elif code < 0:
            how = f"signal {signal.Signals(-code).name}"
        else:
            how = f"exit code {code}"
        if code == -signal.SIGKILL:
            how += ", as the kernel does when memory runs out"
        words = self._log.last_words()
        return f"{how}; its last output: {words}" if words else how

    def close(self) -> int:
        """End the process and its group, if they still live, and forget the log.

        Returns:
            How many processes were ended that had left the group, such as daemons.
        """
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        self._process.join()
        self._mail.close()
        self._log.close()
        with self._one_at_a_time:
            self._living.discard(self.pid)
            return 0 if self._living else _end_strays()


def _not_started(error: OSError | EOFError) -> RunError:
    """Return what to tell when a process could not be started."""
    if isinstance(error, OSError) and error.strerror is None:  # the address of the server is too long
        return unusable_folder(error)
    reason = error.strerror if isinstance(error, OSError) else "its server ended"
    return RunError(
        f"No process could be started ({reason}); close some programs and see `ulimit -a`, then give the same command "
        "again; every cell measured before is kept."
    )


def _end_strays() -> int:
    """End what is left below the server while no cell lives; others of this program's own may use the server, too."""
    server = server_pid()

    def known() -> set[int]:
        time.sleep(0.02)  # somebody may have been forked who is not known yet
        return {child.pid for child in multiprocessing.active_children() if child.pid}

    return end_children(server, known) if server else 0


def _enter(
    target: Callable[..., None],
    pipe: Connection,
    log: Connection,
    cpus: list[int],
    arguments: dict[str, Any],
) -> None:
    """Run in the new process: leave the owner's group, send output to the log, die with the owner, then work."""
    os.setsid()
    leave_server()
    adopt_orphans()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _left_to_the_owner)
    with contextlib.suppress(
        OSError
    ):  # where memory runs out, the kernel is to end the cell and not the runner
        Path("/proc/self/oom_score_adj").write_text("500")
    if cpus:
        os.sched_setaffinity(0, cpus)
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    log.close()
    threading.Thread(target=_die_with_owner, daemon=True).start()
    leader = os.getpid()

    def send(message: dict[str, Any]) -> None:
        if os.getpid() != leader:  # a copy that a plugin forked off would say everything twice
            os._exit(1)
        mailbox.write(pipe, message)

    target(send, **arguments)
    pipe.close()


def _left_to_the_owner(*_: object) -> None:
    """Do nothing: who stops a whole job stops its runner too, which ends its cells; a cell on its own did not fail."""


def _die_with_owner() -> None:
    owner = multiprocessing.parent_process()
    if owner is not None:
        owner.join()
        os.killpg(os.getpid(), signal.SIGKILL)


# What workers do.


def run_cell(
    send: Callable[[dict[str, Any]], None],
    cell: dict[str, Any],
    files: list[str],
    alone: bool,
    checkpoint: str,
) -> None:
    """Measure one cell; send its epochs as they end, what there is to note, then its record as a JSON text."""
    from rkbench.cell import run
    from rkbench.saving import Checkpoint

    one = Cell(**cell)
    saved = Checkpoint(Path(checkpoint), one, alone=alone, tell=lambda sentence: send({"note": sentence}))
    record = run(one, files, lambda row: send({"epoch": row}), alone=alone, checkpoint=saved)
    send({"record": record.to_json()})


def describe_data(send: Callable[[dict[str, Any]], None], names: list[str], device: str) -> None:
    """Load datasets whole, and send their sizes and checksums, or why one, or the device, cannot be had."""
    import torch

    from rkbench import data
    from rkbench.errors import UserError

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        send(
            {
                "error": f"The device {device!r} cannot be used ({str(error).splitlines()[0]}); choose another with --device."
            }
        )
        return
    try:
        loaded = {name: data.load(name) for name in names}
    except UserError as error:
        send({"error": str(error)})
        return
    send(
        {
            name: {
                "sha256": d.sha256,
                "train": len(d.y_train),
                "test": len(d.y_test),
                "shape": list(d.x_train.shape[1:]),
            }
            for name, d in loaded.items()
        }
    )


def feel_pulse(send: Callable[[dict[str, Any]], None]) -> None:
    """Send one pulse of the machine."""
    from rkbench.sentinel import pulse

    send({"pulse": list(pulse())})


def start_cell(cell: Cell, files: list[str], checkpoint: Path, *, alone: bool) -> Worker:
    """Start the process of one cell, tied to CPUs of its own when it runs alone; it goes on from its checkpoint."""
    return Worker(
        run_cell,
        cpus=machine.cpus_for(cell.threads) if alone and cell.device == "cpu" else (),
        cell=asdict(cell),
        files=files,
        alone=alone,
        checkpoint=str(checkpoint.absolute()),
    )
