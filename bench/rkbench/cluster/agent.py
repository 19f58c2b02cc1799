"""The process beside a Dask worker that measures cells there: ``python -m rkbench.cluster.agent``.

It owns the server that cells are forked from and feels the machine's pulse, as the runner does on one machine. Requests
and answers are lines of JSON. It ends, with the cell that runs, when its input ends, and after a while without a request.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from rkbench import appetite, inventory, lanes, machine, registry
from rkbench.cluster import facts
from rkbench.errors import UserError
from rkbench.plan import Cell
from rkbench.record import Record
from rkbench.sentinel import Watch

IDLE_SECONDS = 300.0
"""Without a request for so long, its run is over or its client gone."""

Request = dict[str, Any]


class Notes:
    """A watcher that keeps what the user should know, to be sent with the record."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def note(self, sentence: str) -> None:
        """See `rkbench.lanes.Watcher`."""
        self.sentences.append(sentence)

    def planned(self, todo: Sequence[Cell], done: int) -> None:
        """The client knows."""

    def started(self, cell: Cell) -> None:
        """The client knows."""

    def epoch(self, cell: Cell, row: dict[str, Any]) -> None:
        """Nobody looks on before the record is there, which holds it."""

    def ended(self, cell: Cell, record: Record, again: bool) -> None:
        """The client decides."""


class Agent:
    """What the process keeps between requests.

    Args:
        folder: for single-file plugins, and for checkpoints where the run folder is not at hand.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.watch = folder, Watch()

    def answer(self, request: Request) -> dict[str, Any]:
        """Return the answer to a request, which holds ``check`` or ``cell``; ``lost`` and why, when there is none."""
        files = [self._plugin(file) for file in request["files"]]
        try:
            return self._measured(request, files) if "cell" in request else _checked(request, files)
        except UserError as error:
            return {"lost": str(error)}

    def _measured(self, request: Request, files: list[str]) -> dict[str, Any]:
        cell, notes = Cell(**request["cell"]), Notes()
        memory_mb = request["memory_mb"] or appetite.fair_limit_mb(request["jobs"])
        terms = lanes.Terms(Path(request["folder"] or self.folder), files, request["timeout"], memory_mb)
        if request["jobs"] == 1:
            record = lanes.alone(cell, request["attempt"], terms, self.watch, notes)
        else:
            record = lanes.beside(cell, request["attempt"], terms, notes)
        return {"record": record.to_json(), "notes": notes.sentences}

    def _plugin(self, file: dict[str, str]) -> str:
        """Return the path of a single-file plugin whose text the client sent."""
        path = self.folder / hashlib.sha256(file["text"].encode()).hexdigest()[:16] / file["name"]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(file["text"], encoding="utf-8", newline="")
        return str(path)


def _checked(request: Request, files: list[str]) -> dict[str, Any]:
    """Return what is here: versions and code, the data's checksums, and the machine; or why no cell can run."""
    wanted = request["check"]
    found = facts.facts(wanted["items"], registry.load(files))
    here = {"facts": found, "about": machine.describe(), "kernel": machine.kernel()}
    if found != wanted["facts"]:
        return here
    inventory.preload_for(wanted["datasets"])
    try:
        return here | {"datasets": inventory.datasets(wanted["datasets"], wanted["device"])}
    except UserError as error:
        return here | {"error": str(error)}


def main() -> None:
    """Answer requests until there are none."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a plugin prints is no answer
    signal.signal(signal.SIGINT, signal.default_int_handler)
    lines: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests, lines), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="rkbench-agent-") as folder:
        agent = Agent(Path(folder))
        try:
            while line := lines.get(timeout=IDLE_SECONDS):
                answers.write(json.dumps(agent.answer(json.loads(line))).encode() + b"\n")
                answers.flush()
        except (queue.Empty, KeyboardInterrupt, BrokenPipeError):
            pass
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _listen(requests: BinaryIO, lines: queue.Queue[bytes]) -> None:
    """Pass requests on; when there will be none any more, interrupt whatever the main thread does."""
    for line in requests:
        lines.put(line)
    thread = threading.main_thread().ident
    if thread is not None:
        signal.pthread_kill(thread, signal.SIGINT)
    lines.put(b"")


if __name__ == "__main__":
    main()
