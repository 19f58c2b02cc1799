"""What a run was, in words: denominators, failures, machine, data, and numbers published elsewhere.

Terminal, Markdown and page say the same; they differ only in how they set it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pandas as pd

from rkbench.report import conditions, extent, frames, numbers
from rkbench.report.labels import NO_SOLVER
from rkbench.report.once import once

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook


def title(results: Results) -> str:
    """Return the title of the suite."""
    suite = results.manifest.get("suite", {})
    return str(suite.get("title") or suite.get("name") or "A run of rkbench")


def date(results: Results) -> str:
    """Return the day on which the run started, as ISO 8601."""
    return str(results.manifest.get("started_at", ""))[:10]


def sentence(results: Results) -> str:
    """Return in one sentence what was run, on which data and which machine."""
    cells, machine = results.cells, results.manifest.get("machine", {})
    done = [
        f"{_VERBS.get(str(kind), 'measured')} {_tasks(list(dict.fromkeys(tasks)))}"
        for kind, tasks in cells.groupby("experiment", sort=False)["task"]
    ]
    of_tasks = cells[cells["solver"] != NO_SOLVER].groupby("task", sort=False)["solver"].nunique()
    counts = [_solvers(cells, of_tasks.tolist())] if len(of_tasks) else []
    counts.append(numbers.counted(cells["seed"].nunique(), "seed"))
    threads = results.manifest.get("threads")
    where = f" on {machine['cpu']}" if machine.get("cpu") else ""
    where += f" with {numbers.counted(threads, 'thread')}" if threads else ""
    return f"{' × '.join(counts)} {numbers.listed(done)}{_epochs(results)}{where}."


def _solvers(cells: pd.DataFrame, of_tasks: list[int]) -> str:
    """Return how many solvers there are; those of a task, where each task has some of them alone."""
    solvers = cells.loc[cells["solver"] != NO_SOLVER, "solver"].nunique()
    least, most = min(of_tasks), max(of_tasks)
    if most == solvers:
        return numbers.counted(solvers, "solver")
    return f"{least if least == most else f'{least} to {most}'} of {numbers.counted(solvers, 'solver')}"


def _tasks(names: list[str]) -> str:
    told = numbers.listed(names)
    return told if len(told) <= _LONGEST else numbers.counted(len(names), "task")


_LONGEST = 140
"""Letters that a sentence spends on the names of tasks, at most."""
_VERBS = {
    "training": "trained",
    "solving": "solved",
    "gradient": "differentiated",
    "signal": "followed the gradient through",
}


def counts(results: Results) -> dict[str, int]:
    """Return how many cells were planned, run, failed and reused, and where there are any, how many of other kinds.

    Those of the baseline's second label are planned on top.
    """
    cells = results.cells
    missing, skipped = int(frames.pending(cells).sum()), int(frames.left_out(cells).sum())
    always = {
        "planned": len(cells),
        "run": len(cells) - missing - skipped,
        "failed": int(frames.failed(cells).sum()),
        "reused": int(conditions.reused(results).sum()),
    }
    more = {"skipped": skipped, "not run yet": missing, SECOND_LABEL: len(results.replicas)}
    return always | {name: count for name, count in more.items() if count}


SECOND_LABEL = "second label (A/A)"


def denominators(results: Results) -> str:
    """Return `counts` as a sentence without its point."""
    found = counts(results)
    planned, twice = numbers.counted(found.pop("planned"), "cell"), found.pop(SECOND_LABEL, 0)
    said = [f"{count} {name}" for name, count in found.items() if count or name != "reused"]
    text = ", ".join([f"{planned} planned", *said])
    return (
        f"{text}; and {numbers.counted(twice, 'cell')} of the baseline's second label (A/A)"
        if twice
        else text
    )


def failures(results: Results, most: int = extent.SENTENCES) -> pd.DataFrame:
    """Return the failures, alike ones together: task, solver, seeds, status and message as text.

    Where there are more than ``most``, those of all tasks, solvers and seeds are counted instead.
    """
    keys = ["task", "solver", "status", "message"]
    failed = results.cells[frames.failed(results.cells)]
    seeds = failed.groupby(keys, sort=False)["seed"].agg(lambda seeds: ", ".join(map(str, seeds)))
    if len(seeds) > most:
        return _counted(failed, most)
    return seeds.rename("seeds").reset_index()[["task", "solver", "seeds", "status", "message"]]


def _counted(failed: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return how many cells failed with each message, or where these are too many, too, in each status."""
    several = len(failed[["status", "message"]].drop_duplicates()) > most
    rows = []
    for _, alike in failed.groupby(["status"] if several else ["status", "message"], sort=False):
        row = {name: numbers.counted(alike[name].nunique(), name) for name in ("task", "solver")}
        first, others = alike.iloc[0], alike["message"].nunique() - 1
        said = f" (and {numbers.counted(others, 'other message')})" if others else ""
        row |= {"seeds": numbers.counted(len(alike), "cell"), "status": first["status"]}
        rows.append(row | {"message": first["message"] + said})
    return pd.DataFrame(rows)


def remarks(results: Results) -> list[str]:
    """Return what is known to be wrong with what ran solves, and with whose, a sentence for each."""
    cells = results.cells
    whose = cells["method"].where(
        cells["gradient"] == "backprop", cells["method"] + " with " + cells["gradient"]
    )
    told = cells.assign(whose=whose)[cells["engine_remarks"] != ""]
    keys = ["engine", "engine_version", "engine_remarks"]
    return [
        f"Known of {' '.join(str(one) for one in named if one)}, for {numbers.listed(list(dict.fromkeys(rows)))}: {remark}."
        for (*named, remark), rows in told.groupby(keys, sort=False)["whose"]
    ]


@once
def provenance(results: Results) -> list[tuple[str, str]]:
    """Return how it was measured, as pairs of a name and a text; what the manifest lacks is left out."""
    manifest, machine = results.manifest, results.manifest.get("machine", {})
    versions = manifest.get("versions", {})
    pairs = [
        ("command", _command(manifest.get("command", ""))),
        ("started", ", ".join(map(str, manifest.get("sessions") or [manifest.get("started_at", "")]))),
        ("measured", conditions.days(results)),
        ("cells", denominators(results)),
        ("machine", _machine(machine)),
        ("threads per cell", str(manifest.get("threads", ""))),
        ("commit", str(manifest.get("commit") or "")),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)),
        *((f"data {name}", _data(about)) for name, about in manifest.get("data", {}).items()),
    ]
    return [(name, text) for name, text in pairs if text]


def reproduction(results: Results) -> list[str]:
    """Return the lines of a shell that run the same again, where the repository is checked out or its wheel is known."""
    manifest = results.manifest
    command, commit = _command(manifest.get("command", "")), str(manifest.get("commit") or "")
    if not command:
        return []
    versions = {name: text for name, text in manifest.get("versions", {}).items() if text}
    version = versions.pop("rkbench", "")
    ours = ["."] if commit else [f"rkbench=={version}" if version else "rkbench"]
    ours += [f"{name}=={version}" for name, version in (_plugins(results) | versions).items()]
    checkout = [f"git checkout {shlex.quote(commit.removesuffix(_DIRTY))}"] if commit else []
    changed = ["# with changes to the tree that the commit does not hold"] if commit.endswith(_DIRTY) else []
    return [*checkout, *changed, shlex.join(["pip", "install", *ours]), command]


_DIRTY = "+dirty"


def _plugins(results: Results) -> dict[str, str]:
    """Return the distributions that brought methods, with their versions; files have none, and are in the command."""
    planned = results.manifest["plan"]
    found = {str(cell.get("plugin", "")): str(cell.get("plugin_version", "")) for cell in planned}
    return {name: version for name, version in found.items() if version and name != "rkbench"}


def published(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Return the rows published elsewhere by source, each with ``time_ratio`` to its source's baseline.

    Networks with a test error stand in a table of ours, see `rkbench.report.published`.
    """
    manifest = results.manifest
    sources: dict[str, list[dict[str, Any]]] = {}
    for row in manifest.get("reference") or manifest.get("suite", {}).get("reference") or []:
        if not {"test_error", "test_score"} & row.keys():
            sources.setdefault(str(row.get("source", "")), []).append(row)
    for source, rows in sources.items():
        times = [row.get("train_seconds") for row in rows if row.get("method") == results.baseline]
        below = times[0] if times else None
        sources[source] = [row | {"time_ratio": _quotient(row.get("train_seconds"), below)} for row in rows]
    return sources


def published_cells(row: dict[str, Any]) -> list[str]:
    """Return a published row as text, in the order of `PUBLISHED_HEADINGS`."""
    known = ((row.get(name), spell) for name, spell in _PUBLISHED.items())
    return [
        str(row.get("label", "")),
        *(numbers.NONE if value is None else spell(float(value)) for value, spell in known),
    ]


_PUBLISHED = {
    "train_seconds": numbers.seconds,
    "time_ratio": numbers.significant,
    "test_accuracy": numbers.percent,
    "train_accuracy": numbers.percent,
}
PUBLISHED_HEADINGS = (
    "published as",
    "training time, s",
    "time ÷ its baseline",
    "test accuracy, %",
    "training accuracy, %",
)
PUBLISHED_CAPTION = "Published elsewhere, on other hardware: the times are not comparable with ours."


def _epochs(results: Results) -> str:
    planned = {cell.get("epochs") for cell in results.manifest["plan"]} - {None}
    return f" for {numbers.counted(planned.pop(), 'epoch')}" if len(planned) == 1 else ""


def _command(command: Any) -> str:
    return shlex.join(map(str, command)) if isinstance(command, list) else str(command or "")


def _machine(machine: dict[str, Any]) -> str:
    units = {
        "cores": "{} cores",
        "memory_gb": "{} GiB memory",
        "python": "Python {}",
        "governor": "governor {}",
    }
    shown = ("host", "cpu", "cores", "memory_gb", "system", "python", "governor")
    return ", ".join(units.get(key, "{}").format(machine[key]) for key in shown if machine.get(key))


def _data(about: dict[str, Any]) -> str:
    sizes = [
        f"{about[key]:,} {word}" for key, word in (("train", "training"), ("test", "test")) if about.get(key)
    ]
    checksum = f"SHA-256 {about['sha256']}" if about.get("sha256") else ""
    return ", ".join(
        part for part in (" and ".join(sizes) + (" examples" if sizes else ""), checksum) if part
    )


def _quotient(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
