"""The process of one cell, and how its owner talks to it.

Cells are forked from a server that has imported torch once, so each starts in milliseconds and shares no state
with another. Messages are JSON lines over a pipe; nothing measured is pickled.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rkbench import machine
from rkbench.plan import Cell

PRELOAD = ["rkbench.cell", "torch._dynamo"]
"""What the server imports before it forks: torch, and what torch would import with the first optimiser."""

LOG_TAIL = 300
"""How many characters of a crashed cell's output its message quotes."""


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(PRELOAD)


def preload(*modules: str) -> None:
    """Let the server import further modules before it forks; to be called before the first `Worker`."""
    CONTEXT.set_forkserver_preload([*PRELOAD, *modules])


class Worker:
    """One process that runs ``target(send, **arguments)`` in a group of its own, with its output in a log.

    ``cpus`` are those it is tied to, with every thread that it starts; none for any.
    """

    def __init__(self, target: Callable[..., None], *, cpus: Sequence[int] = (), **arguments: Any) -> None:
        ours, theirs = CONTEXT.Pipe(duplex=False)
        self._connection: Connection = ours
        handle, self._log = tempfile.mkstemp(prefix="rkbench-", suffix=".log")
        os.close(handle)
        self._process = CONTEXT.Process(
            target=_enter, args=(target, theirs, self._log, list(cpus), arguments), daemon=True
        )
        self._process.start()
        theirs.close()
        self.started = time.monotonic()

    def message(self, timeout: float) -> dict[str, Any] | None:
        """Return the next message, or None when there is none within ``timeout`` seconds.

        Raises:
            EOFError: the process has ended and said all.
        """
        if not self._connection.poll(timeout):
            return None
        try:
            return json.loads(self._connection.recv_bytes())
        except (OSError, ValueError):
            raise EOFError from None

    def ending(self) -> str:
        """Wait for the process and return how it ended: its signal or exit code, and its last words."""
        self._process.join()
        code = self._process.exitcode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if -code == signal.SIGKILL:
            how += ", as the kernel does when memory runs out"
        words = " ".join(Path(self._log).read_text(errors="replace")[-LOG_TAIL:].split())
        return f"{how}; its last output: {words}" if words else how

    def close(self) -> None:
        """End the process and its group, if they still live, and forget the log."""
        if self._process.pid is not None:
            for kill in (os.killpg, os.kill):
                try:
                    kill(self._process.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    continue
        self._process.join()
        self._connection.close()
        Path(self._log).unlink(missing_ok=True)


def _enter(
    target: Callable[..., None], connection: Connection, log: str, cpus: list[int], arguments: dict[str, Any]
) -> None:
    """Run in the new process: leave the owner's group, send output to the log, die with the owner, then work."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if cpus:
        os.sched_setaffinity(0, cpus)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    threading.Thread(target=_die_with_owner, daemon=True).start()
    target(lambda message: connection.send_bytes(json.dumps(message).encode()), **arguments)
    connection.close()


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
