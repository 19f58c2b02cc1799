"""The workers of a cluster: each is looked at before it gets a cell, whenever it comes, and missed when it goes."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from rkbench.cluster import within
from rkbench.cluster.facts import Items, difference
from rkbench.errors import RunError

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE_SECONDS = 30.0
"""How often the user is told that a run waits for workers."""


class Needs(NamedTuple):
    """What the cells of a run need on a worker.

    Attributes:
        items: what the cells name.
        facts: what they are on this machine.
        files: names and texts of single-file plugins.
        datasets: by name.
        device: where the cells run.
    """

    items: Items
    facts: dict[str, str]
    files: list[dict[str, str]]
    datasets: list[str]
    device: str

    @property
    def gpu(self) -> bool:
        """Whether each cell takes one of a worker's resources named GPU."""
        return self.device.startswith("cuda")


@dataclass
class Member:
    """A worker that may get cells.

    Attributes:
        address: where the scheduler finds it.
        host: the name of its machine, as records have it.
        kernel: what tells machines apart whatever their names.
        slots: cells that it takes at a time.
        running: cells that it has.
    """

    address: str
    host: str
    kernel: str
    slots: int
    running: int = 0


class Crew:
    """The workers that are there, looked at from time to time.

    Args:
        client: of the scheduler.
        address: of the scheduler, as the user gave it.
        needs: of the cells.
        tell: is told what the user should know.

    Attributes:
        run: a name that no other run has.
        members: address -> worker that may get cells.
        datasets: name -> sizes and checksums, as the workers found them.
        machines: host -> its description.
    """

    def __init__(self, client: Client, address: str, needs: Needs, tell: Callable[[str], None]) -> None:
        self.client, self.address, self.needs, self.tell = client, address, needs, tell
        self.run = secrets.token_hex(4)
        self.members: dict[str, Member] = {}
        self.datasets: dict[str, Any] = {}
        self.machines: dict[str, dict[str, Any]] = {}
        self._asked: dict[str, Future] = {}
        self._refused: dict[str, str] = {}
        self._told = time.monotonic()

    def assemble(self) -> None:
        """Wait for workers, and look at all that are there.

        Raises:
            RunError: one differs from this machine or lacks something, or the scheduler is gone.
        """
        while not self.members or self._asked:
            self.look()
            for sentence in self._refused.values():
                raise RunError(sentence)
            self.complain(waiting=True)
            time.sleep(0.1)

    def look(self) -> set[str]:
        """Ask who is there, judge those who have answered, and return who has gone since.

        Raises:
            RunError: the scheduler is gone.
        """
        here = self._here()
        gone = (self.members.keys() | self._asked.keys() | self._refused.keys()) - here
        for address in gone:
            for known in (self.members, self._asked, self._refused):
                known.pop(address, None)
        for address in here - self.members.keys() - self._asked.keys() - self._refused.keys():
            self._asked[address] = self._ask(address)
        for address, future in list(self._asked.items()):
            if future.done():
                del self._asked[address]
                self._judge(address, future)
        return gone

    def complain(self, waiting: bool) -> None:
        """Tell now and then what a run waits for that has waited for so long."""
        if waiting and time.monotonic() - self._told < PATIENCE_SECONDS:
            return
        self._told = time.monotonic()
        if waiting and self._asked:
            self.tell(
                f"{len(self._asked)} of the workers did not say yet what they have; wait for the work that others gave "
                "them, or stop them."
            )
        elif waiting:
            self.tell("No worker is there to take a cell; start one, or wait for the cluster's.")

    def cancel(self, futures: list[Future]) -> None:
        """Give up tasks that are out."""
        self._last_wish(self.client.cancel, futures, force=True)

    def dismiss(self) -> None:
        """End what this run still has on the workers, cells that run included."""
        self._last_wish(self.client.run, within.dismiss, self.run, on_error="ignore")

    def _last_wish(self, call: Callable[..., object], *arguments: Any, **options: Any) -> None:
        """Ask the scheduler for something unless it is gone; then workers end what they have by themselves."""
        if self.client.status == "running":
            with contextlib.suppress(OSError, TimeoutError):
                call(*arguments, **options)

    def scheduler_gone(self) -> RunError:
        """Return the error for a scheduler that does not answer any more."""
        return RunError(
            f"The Dask scheduler at {self.address} has gone; every cell measured so far is kept: start it again and "
            "give the same command."
        )

    def _here(self) -> set[str]:
        """Return the addresses of all workers that are there."""
        if self.client.status != "running":
            raise self.scheduler_gone()
        try:
            here: Any = self.client.nthreads()
        except (OSError, TimeoutError) as error:
            raise self.scheduler_gone() from error
        return set(here)

    def _ask(self, address: str) -> Future:
        needs = self.needs._asdict()
        request = {"check": needs, "files": needs.pop("files")}
        return self.client.submit(
            within.inspect,
            self.run,
            json.dumps(request),
            key=f"rkbench-{self.run}-look-{address}",
            workers=[address],
            pure=False,
        )

    def _judge(self, address: str, future: Future) -> None:
        """Take a worker in, or say why not."""
        if future.status == "cancelled":
            return
        try:
            answer: dict[str, Any] = json.loads(future.result(timeout=within.ENDING_SECONDS))
        except Exception as error:  # whatever the worker could not import or do
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            answer = {"lost": f"it cannot run rkbench ({text})"}
        sentence = self._objection(address, answer)
        if sentence:
            self._refused[address] = sentence
            if self.members:  # before the first one, the sentence ends the run
                self.tell(sentence)
            return
        slots = answer["resources"].get("GPU", 0) if self.needs.gpu else answer["threads"]
        host = answer["about"]["host"]
        self.datasets, self.machines[host] = answer["datasets"], answer["about"]
        self.members[address] = Member(address, host, answer["kernel"], int(slots))

    def _objection(self, address: str, answer: dict[str, Any]) -> str:
        """Return why a worker gets no cell of this run; empty when it may."""
        if "lost" in answer:
            return f"The worker {address} could not be looked at: {answer['lost']}; mend or stop it."
        found = difference(address, answer["facts"], self.needs.facts)
        if found:
            return found
        if "error" in answer:
            return f"The worker {address} on {answer['about']['host']}: {answer['error']}"
        if self.needs.gpu and not answer["resources"].get("GPU"):
            return f"The worker {address} offers no GPU; start it with --resources GPU=1, one worker per GPU."
        if self.datasets and self.datasets != answer["datasets"]:
            return f"The worker {address} has other data than the first; copy the same files to both."
        return ""
