"""A cluster as the runner sees it: it looks at data, describes machines and measures cells, as one machine does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rkbench import lanes
from rkbench.cluster import connect, facts
from rkbench.cluster.blocks import Block
from rkbench.cluster.crew import Crew, Needs
from rkbench.cluster.spread import Spread, Terms
from rkbench.plan import Cell
from rkbench.registry import Registry
from rkbench.suite import Suite

NAMED = 4
"""Machines that a report names one by one, at most."""


class Cluster:
    """The workers at an address, for one run.

    Args:
        crew: those workers.
        jobs: how many cells at a time on each machine; above 1 their times do not count.
        shares: whether the workers have the run folder at the same path.
    """

    def __init__(self, crew: Crew, jobs: int, *, shares: bool) -> None:
        self.crew, self.jobs, self.shares = crew, jobs, shares

    def datasets(self) -> dict[str, Any]:
        """Look at every worker, and return sizes and checksums of the data as it is there.

        Raises:
            RunError: a worker differs from this machine, or lacks something; nothing was run.
        """
        self.crew.assemble()
        return self.crew.datasets

    def about(self) -> dict[str, Any]:
        """Return the description of the machines, one value where they agree and all of them where not."""
        machines = list(self.crew.machines.values())
        names = dict.fromkeys(name for about in machines for name in about)
        return {name: _joined([about.get(name) for about in machines]) for name in names}

    def spread(
        self,
        cells: Sequence[Cell],
        suite: Suite,
        folder: Path,
        watcher: lanes.Watcher,
        homes: Mapping[Block, str],
    ) -> Iterator[lanes.Ended]:
        """Yield each cell with its record as it ends, and whether it comes again."""
        shared = str(folder.absolute()) if self.shares else None
        terms = Terms(suite.timeout_seconds, suite.memory_limit_mb, self.jobs, shared)
        yield from Spread(self.crew, cells, terms, watcher, homes)


@contextlib.contextmanager
def opened(
    address: str,
    jobs: int | None,
    cells: Sequence[Cell],
    files: Sequence[str],
    registry: Registry,
    tell: Callable[[str], None],
) -> Iterator[Cluster]:
    """Hold the cluster at an address, and leave it as it was.

    Args:
        address: ``tcp://HOST:PORT``, or ``local:N`` for N workers on this machine.
        jobs: how many cells at a time on each machine; None for one, or for all the workers of ``local:N``.
        cells: those of the run.
        files: single-file plugins, which are sent to the workers.
        registry: what the plugins brought on this machine.
        tell: is told what the user should know.

    Raises:
        RunError: Dask is not installed, the address is none, or nobody answers there.
    """
    local = address.startswith(connect.LOCAL)
    at_a_time = jobs or (connect.workers(address) if local else 1)
    with connect.connected(address) as client:
        crew = Crew(client, address, _needs(cells, files, registry), tell)
        try:
            yield Cluster(crew, at_a_time, shares=local)
        finally:
            crew.dismiss()


def _needs(cells: Sequence[Cell], files: Sequence[str], registry: Registry) -> Needs:
    wanted = facts.items(cells)
    texts = [{"name": Path(file).name, "text": Path(file).read_text(encoding="utf-8")} for file in files]
    datasets = sorted({cell.dataset for cell in cells} - {""})
    device = cells[0].device if cells else "cpu"
    return Needs(wanted, facts.facts(wanted, registry), texts, datasets, device)


def _joined(values: list[Any]) -> Any:
    """Return the value that all have, or in a text all values, or how many where nobody would read them."""
    distinct = list(dict.fromkeys(map(str, values)))
    if len(distinct) == 1:
        return values[0]
    return " and ".join(distinct) if len(distinct) <= NAMED else f"{len(distinct)} different"
