"""Walk a plan: skip what is measured, give each cell a fresh process, append its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rkbench import checkpoints, lanes, machine, store
from rkbench.errors import DataError, RunError
from rkbench.identity import up_to_date
from rkbench.lanes import Watcher
from rkbench.plan import Cell, now
from rkbench.record import CellStatus, Record
from rkbench.stability import stability_polynomial
from rkbench.suite import Suite
from rkbench.tableau import ButcherTableau
from rkbench.worker import Worker, describe_data, preload


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


def run(job: Job, folder: Path, watcher: Watcher, *, jobs: int = 1) -> None:
    """Run every cell that the folder holds no record of; the same call again resumes.

    Args:
        job: what to run.
        folder: the run folder, made when missing.
        watcher: is told what happens.
        jobs: how many cells at a time; above 1 their times are recorded as not comparable.

    Raises:
        RunError: the folder belongs to another suite or runner, or cannot be written.
        DataError: a dataset is missing or broken; nothing was run.
    """
    names = sorted({cell.dataset for cell in job.cells} - {""})
    preload(*(["torchvision.datasets"] if any(name.startswith("mnist") for name in names) else []))
    with store.opened(folder) as writer:
        for sentence in writer.mend():
            watcher.note(sentence)
        earlier = store.read(folder) if (folder / store.MANIFEST).exists() else None
        done = {record.cell_id: record for record in store.read_records(folder)}
        todo = [cell for cell in job.cells if _due(cell, done.get(cell.cell_id), job.retry_failed)]
        checkpoints.sweep(folder, done.keys() - {cell.cell_id for cell in todo})
        datasets = _datasets(names, job.suite.device) if todo else {}
        store.write_manifest(folder, _manifest(job, datasets, earlier, measures=bool(todo)))
        watcher.planned(todo, len(job.cells) - len(todo))
        for cell, record, again in _measured(todo, job, folder, watcher, jobs):
            writer.append(record)
            checkpoints.discard(folder, record.cell_id, record.attempt)
            watcher.ended(cell, record, again)
        checkpoints.tidy(folder)


def _due(cell: Cell, record: Record | None, retry_failed: bool) -> bool:
    """Return whether a cell is to run, given its record.

    One that was skipped is, once its engine is here; one that was measured, when its engine's library is another now.
    """
    if record is None:
        return True
    if record.status == CellStatus.SKIPPED:
        return not cell.unavailable
    return not up_to_date(record, cell) or (retry_failed and record.status != CellStatus.OK)


def _datasets(names: list[str], device: str) -> dict[str, Any]:
    """Return sizes and checksums, read by a process that also proves that the data is whole and the device there."""
    worker = Worker(describe_data, names=names, device=device)
    try:
        answer = worker.message(timeout=600)
    except EOFError:
        raise RunError(f"The data could not be looked at ({worker.ending()}); run it again.") from None
    finally:
        worker.close()
    if answer is None:
        raise DataError(
            f"Loading {', '.join(names)} took more than ten minutes; look at the disk or the network."
        )
    if "error" in answer:
        raise DataError(answer["error"])
    return answer


def _manifest(
    job: Job, datasets: dict[str, Any], earlier: store.Ledger | None, *, measures: bool
) -> dict[str, Any]:
    """Return the manifest; a folder that is extended keeps the cells it was made for, and when it was started before."""
    plan = {cell.cell_id: asdict(cell) for cell in job.cells}
    started = now()
    sessions = [started]
    if earlier:
        if earlier.manifest.get("suite", {}).get("name") != job.suite.name:
            raise RunError(
                f"The folder holds a run of the suite {earlier.manifest.get('suite', {}).get('name')!r}, not of "
                f"{job.suite.name!r}; choose another with --out."
            )
        for name, was in earlier.manifest.get("data", {}).items():
            if name in datasets and was["sha256"] != datasets[name]["sha256"]:
                raise RunError(
                    f"The dataset {name} has changed since the folder's first cells; start a new run with --out."
                )
        plan = {cell["cell_id"]: cell for cell in earlier.manifest.get("plan", [])} | plan
        before = earlier.manifest.get("sessions") or [earlier.manifest.get("started_at", started)]
        sessions = [*before, started] if measures else before
        started = earlier.manifest.get("started_at", started)
        datasets = earlier.manifest.get("data", {}) | datasets
    facts = earlier.manifest.get("methods", {}) if earlier else {}
    return {
        "suite": json.loads(json.dumps(asdict(replace(job.suite, reference=())))),
        "reference": list(job.suite.reference),
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
    terms = lanes.Terms(folder, list(job.files), job.suite.timeout_seconds)
    if jobs == 1:
        yield from lanes.one_by_one(able, terms, watcher)
    else:
        yield from lanes.side_by_side(able, terms, watcher, jobs)
