"""Walk a plan: skip what is measured, give each cell a fresh process, append its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rkbench import appetite, checkpoints, inventory, lanes, machine, store
from rkbench.cluster import Cluster, homes
from rkbench.errors import RunError
from rkbench.identity import up_to_date
from rkbench.lanes import Watcher
from rkbench.plan import Cell, now
from rkbench.record import CellStatus, Record
from rkbench.stability import stability_polynomial
from rkbench.store import Outcome
from rkbench.suite import Suite
from rkbench.tableau import ButcherTableau


@dataclass(frozen=True)
class Job:
    """What to run: a suite, its cells, the plugins they need, whether failed cells run again, and its methods."""

    suite: Suite
    cells: Sequence[Cell]
    files: Sequence[str]
    command: str = ""
    retry_failed: bool = False
    methods: Sequence[ButcherTableau] = ()


def default_folder(job: Job) -> Path:
    """Return ``results/runs/SUITE-HASH``, the same for the same plan, so that the same command resumes."""
    digest = hashlib.sha256(" ".join(sorted(cell.cell_id for cell in job.cells)).encode()).hexdigest()[:8]
    return Path("results") / "runs" / f"{job.suite.name}-{digest}"


def run(job: Job, folder: Path, watcher: Watcher, *, jobs: int = 1, cluster: Cluster | None = None) -> None:
    """Run every cell that the folder holds no record of; the same call again resumes.

    Args:
        job: what to run.
        folder: the run folder, made when missing.
        watcher: is told what happens.
        jobs: how many cells at a time; above 1 their times are recorded as not comparable.
        cluster: measures the cells instead of this machine, as many at a time as it is made for.

    Raises:
        RunError: the folder belongs to another suite or runner, or cannot be written; or a worker of the cluster
            cannot measure the cells.
        DataError: a dataset is missing or broken; nothing was run.
    """
    names = sorted({cell.dataset for cell in job.cells} - {""})
    inventory.preload_for(names)
    with store.opened(folder) as writer:
        for sentence in writer.mend():
            watcher.note(sentence)
        planned = {cell.cell_id: cell for cell in job.cells}
        plain = {cell_id: vars(cell) for cell_id, cell in planned.items()}
        earlier = store.read_manifest(folder, plain) if (folder / store.MANIFEST).exists() else None
        done = store.outcomes(folder, planned)
        todo = [cell for cell in job.cells if _due(cell, done.get(cell.cell_id), job.retry_failed)]
        checkpoints.sweep(folder, done.keys() - {cell.cell_id for cell in todo})
        datasets = _datasets(names, job.suite.device, cluster) if todo else {}
        manifest = _manifest(job, datasets, earlier, measures=bool(todo))
        if cluster and todo:
            manifest["machine"] = cluster.about()
        store.write_manifest(folder, manifest)
        if todo:
            writer.hold_reserve()
        watcher.planned(todo, len(job.cells) - len(todo))
        measured = (
            _elsewhere(todo, done, job, folder, watcher, cluster)
            if cluster
            else _measured(todo, job, folder, watcher, jobs)
        )
        for cell, record, again in measured:
            _refuse_other_data(record, datasets)
            writer.append(record)
            checkpoints.discard(folder, record.cell_id, record.attempt)
            watcher.ended(cell, record, again)
        checkpoints.tidy(folder)


def _due(cell: Cell, earlier: Outcome | None, retry_failed: bool) -> bool:
    """Return whether a cell is to run, given how it ended earlier.

    One that was skipped is, once its engine is here; one that was measured, when its engine's library is another now.
    """
    if earlier is None:
        return True
    if earlier.status == CellStatus.SKIPPED:
        return not cell.unavailable
    return not up_to_date(earlier.engine_version, cell) or (retry_failed and earlier.status != CellStatus.OK)


def _datasets(names: list[str], device: str, cluster: Cluster | None) -> dict[str, Any]:
    """Return sizes and checksums of the data where the cells are measured."""
    return cluster.datasets() if cluster else inventory.datasets(names, device)


def _refuse_other_data(record: Record, datasets: Mapping[str, Any]) -> None:
    """Refuse a record of data that are not those that the run began with; what is not in a file is the version's."""
    began = datasets.get(record.dataset, {}).get("sha256")
    if began and record.data_sha256 and record.data_sha256 != began:
        raise RunError(
            f"The dataset {record.dataset} has changed since the run began; restore its files and give the same command "
            "again, or start a new run with --out; every cell measured before is kept."
        )


def _manifest(
    job: Job, datasets: dict[str, Any], earlier: dict[str, Any] | None, *, measures: bool
) -> dict[str, Any]:
    """Return the manifest; a folder that is extended keeps the cells it was made for, and when it was started before."""
    plan = {cell.cell_id: vars(cell) for cell in job.cells}
    started = now()
    sessions = [started]
    if earlier:
        if earlier.get("suite", {}).get("name") != job.suite.name:
            raise RunError(
                f"The folder holds a run of the suite {earlier.get('suite', {}).get('name')!r}, not of "
                f"{job.suite.name!r}; choose another with --out."
            )
        for name, was in earlier.get("data", {}).items():
            if name in datasets and was["sha256"] != datasets[name]["sha256"]:
                raise RunError(
                    f"The dataset {name} has changed since the folder's first cells; start a new run with --out."
                )
        plan = {cell["cell_id"]: cell for cell in earlier.pop("plan", [])} | plan
        before = earlier.get("sessions") or [earlier.get("started_at", started)]
        sessions = [*before, started] if measures else before
        started = earlier.get("started_at", started)
        datasets = earlier.get("data", {}) | datasets
    facts = earlier.get("methods", {}) if earlier else {}
    return {
        "suite": json.loads(json.dumps(asdict(replace(job.suite, reference=(), question=())))),
        "reference": list(job.suite.reference),
        "question": [json.loads(json.dumps(asdict(one))) for one in job.suite.question],
        "plan": list(plan.values()),
        "methods": facts | {method.name: _facts(method) for method in job.methods},
        "versions": machine.versions(),
        "commit": machine.commit(),
        "machine": machine.describe(),
        "threads": job.suite.threads,
        "data": datasets,
        "started_at": started,
        "sessions": sessions,
        "command": job.command,
    }


def _facts(method: ButcherTableau) -> dict[str, Any]:
    """Return what a report shows of a method besides its results; ``stability``: the coefficients of 1, z, z² and so on."""
    stability = [float(x) for x in stability_polynomial(method)]
    return {"order": method.order, "stages": method.stages, "stability": stability}


def _measured(
    todo: Sequence[Cell], job: Job, folder: Path, watcher: Watcher, jobs: int
) -> Iterator[lanes.Ended]:
    """Yield each cell with its record as it ends, and whether it comes again."""
    yield from lanes.skipped([cell for cell in todo if cell.unavailable], watcher)
    able = [cell for cell in todo if not cell.unavailable]
    terms = lanes.Terms(folder, list(job.files), job.suite.timeout_seconds, _memory_mb(job.suite, jobs))
    if jobs == 1:
        yield from lanes.one_by_one(able, terms, watcher)
    else:
        yield from lanes.side_by_side(able, terms, watcher, jobs)


def _elsewhere(
    todo: Sequence[Cell],
    done: Mapping[str, Outcome],
    job: Job,
    folder: Path,
    watcher: Watcher,
    cluster: Cluster,
) -> Iterator[lanes.Ended]:
    """Yield each cell with its record as a cluster hands it back, and whether it comes again."""
    yield from lanes.skipped([cell for cell in todo if cell.unavailable], watcher)
    able = [cell for cell in todo if not cell.unavailable]
    hosts = homes(job.cells, {cell_id: outcome.host for cell_id, outcome in done.items()})
    yield from cluster.spread(able, job.suite, folder, watcher, hosts)


def _memory_mb(suite: Suite, jobs: int) -> float:
    """Return how many MiB a cell may take: what the suite says, or its share of the machine's."""
    return appetite.fair_limit_mb(jobs) if suite.memory_limit_mb is None else suite.memory_limit_mb
