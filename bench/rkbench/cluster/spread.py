"""Cells to records on a cluster: as many are out as there are slots, and each comes back once, whoever dies."""

from __future__ import annotations

import json
import queue
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from rkbench import lanes
from rkbench.cluster import within
from rkbench.cluster.blocks import Block, Blocks, Try
from rkbench.cluster.crew import Crew, Member
from rkbench.plan import Cell, blank_record, now
from rkbench.record import CellStatus, Record

if TYPE_CHECKING:
    from distributed import Future

RETRIES = 2
"""How often a cell is tried again after the worker that had it ended."""

LOOK_SECONDS = 1.0
"""How often the scheduler is asked who is there."""

GRACE_SECONDS = 20.0
"""A machine that has been without a worker for so long gives its blocks to others; Dask restarts workers in less."""


class Terms(NamedTuple):
    """What holds for every cell.

    Attributes:
        timeout: seconds that the process of a cell may take.
        memory_mb: MiB that all processes of a cell may take together; None for the worker's share of its machine.
        jobs: how many cells at a time on each machine; above 1 their times do not count.
        folder: the run folder where the workers have it too, for checkpoints.
    """

    timeout: float
    memory_mb: float | None
    jobs: int
    folder: str | None


class Sent(NamedTuple):
    """A try that is out, with whom, and where its answer will be."""

    what: Try
    member: Member
    future: Future


class Spread:
    """One walk over cells.

    Args:
        crew: who measures.
        cells: in the order of the plan.
        terms: of every cell.
        watcher: is told what happens.
        homes: block -> machine that measured others of its cells in an earlier session.
    """

    def __init__(
        self,
        crew: Crew,
        cells: Sequence[Cell],
        terms: Terms,
        watcher: lanes.Watcher,
        homes: Mapping[Block, str],
    ) -> None:
        self.crew, self.terms, self.watcher = crew, terms, watcher
        self.blocks = Blocks(cells, whole=terms.jobs == 1, homes=homes)
        self.out: dict[str, Sent] = {}
        self.load: Counter[str] = Counter()
        self.arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.left = max(1, len(cells) // lanes.AGAIN)
        self.looked, self.seen = 0.0, dict[str, float]()
        self.told = set[str]()

    def __iter__(self) -> Iterator[lanes.Ended]:
        """Yield each cell with its record as it ends, and whether it comes again; leave nothing on the workers."""
        try:
            while self.blocks or self.out:
                self._assign()
                for sent in self._back():
                    ended = self._ended(sent)
                    if ended is not None:
                        yield ended
                yield from self._look()
        finally:
            self.crew.cancel([sent.future for sent in self.out.values()])

    def _assign(self) -> None:
        """Give cells to whoever has room, in the order in which the workers came."""
        for member in self.crew.members.values():
            while member.running < member.slots and self.load[member.kernel] < self.terms.jobs:
                what = self.blocks.next(member.host)
                if what is None:
                    break
                self._send(what, member)

    def _send(self, what: Try, member: Member) -> None:
        request = {
            "cell": asdict(what.cell),
            "attempt": what.attempt,
            **self.terms._asdict(),
            "files": self.crew.needs.files,
        }
        key = f"rkbench-{self.crew.run}-{what.cell.cell_id}-{what.attempt}-{len(what.lost)}"
        future = self.crew.client.submit(
            within.answer,
            self.crew.run,
            json.dumps(request),
            key=key,
            workers=[member.address],
            resources={"GPU": 1} if self.crew.needs.gpu else None,
            pure=False,
        )
        self.out[key] = Sent(what, member, future)
        member.running += 1
        self.load[member.kernel] += 1
        if not what.lost:
            self.watcher.started(what.cell)
        future.add_done_callback(lambda _: self.arrived.put(key))

    def _back(self) -> Iterator[Sent]:
        """Wait a moment for answers, and yield the tries that have one."""
        try:
            keys = [self.arrived.get(timeout=LOOK_SECONDS)]
        except queue.Empty:
            return
        while not self.arrived.empty():
            keys.append(self.arrived.get())
        for key in keys:
            if key in self.out:
                yield self._taken_back(key)

    def _taken_back(self, key: str) -> Sent:
        sent = self.out.pop(key)
        sent.member.running -= 1
        self.load[sent.member.kernel] -= 1
        return sent

    def _ended(self, sent: Sent) -> lanes.Ended | None:
        """Return what came of a try; None when its worker was lost and the cell is tried again."""
        answer = self._answer(sent.future)
        if "record" not in answer:
            return self._lost(sent, answer["lost"])
        for sentence in answer["notes"]:
            self._tell(f"{sent.member.host}: {sentence}")
        record = Record.from_dict(json.loads(answer["record"]))
        again = self.terms.jobs == 1 and lanes.spoilt(record) and self.left > 0
        if again:
            self.left -= 1
            self.blocks.put_back(Try(sent.what.cell, sent.what.attempt + 1, sent.what.lost))
        return sent.what.cell, record, again

    def _tell(self, sentence: str) -> None:
        """Tell what happens on a machine once, however many of its cells meet it."""
        if sentence not in self.told:
            self.told.add(sentence)
            self.watcher.note(sentence)

    def _answer(self, future: Future) -> dict[str, Any]:
        if self.crew.client.status != "running":
            raise self.crew.scheduler_gone()
        try:
            return json.loads(future.result(timeout=within.ENDING_SECONDS))
        except Exception as error:  # Dask has many for a worker that ended
            return {"lost": f"{type(error).__name__}"}

    def _lost(self, sent: Sent, reason: str) -> lanes.Ended | None:
        """Let a cell whose worker ended wait for another one, or have it crashed after the last."""
        cell, lost = sent.what.cell, (*sent.what.lost, sent.member.address)
        self.looked = 0.0  # nobody is to get a cell before it is known to be there
        if len(lost) <= RETRIES:
            self.blocks.put_back(sent.what._replace(lost=lost))
            self.watcher.note(
                f"The worker {sent.member.address} was lost ({reason}); its cell {cell.cell_id} is tried again."
            )
            return None
        record = blank_record(cell)
        record.status, record.host, record.attempt = CellStatus.CRASHED, sent.member.host, sent.what.attempt
        record.message, record.measured_at = (
            f"{len(lost)} workers were lost while they measured the cell ({', '.join(lost)}); read their logs, and give "
            "--retry-failed once they are mended.",
            now(),
        )
        return cell, record, False

    def _look(self) -> Iterator[lanes.Ended]:
        """Ask who is there, now and then; take back the cells of those who are not."""
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        gone = self.crew.look()
        self.looked = time.monotonic()
        for key, sent in list(self.out.items()):
            if sent.member.address in gone:
                self.crew.cancel([sent.future])
                ended = self._lost(self._taken_back(key), "it is gone")
                if ended is not None:
                    yield ended
        self._release()
        self.crew.complain(waiting=not self.crew.members)

    def _release(self) -> None:
        """Let others take the blocks of machines that have had no worker for a while."""
        self.seen |= dict.fromkeys((member.host for member in self.crew.members.values()), self.looked)
        for host in self.blocks.hosts:
            if self.looked - self.seen.setdefault(host, self.looked) > GRACE_SECONDS:
                self.blocks.release(host)
