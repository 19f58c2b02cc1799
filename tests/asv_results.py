"""Folders of results as asv writes them, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COLUMNS = (
    "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25",
    "stats_q_75", "stats_number", "stats_repeat", "samples", "profile",
)  # fmt: skip
NAN = float("nan")


def sha(number: int) -> str:
    return f"{number:040x}"


def benchmark(name: str, unit: str, kind: str = "track", version: str = "1") -> dict[str, Any]:
    return {
        name: {"name": name, "type": kind, "unit": unit, "version": version, "params": [], "param_names": []}
    }


def write_benchmarks(folder: Path, *benchmarks: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"version": 2}
    for one in benchmarks:
        told |= one
    (folder / "benchmarks.json").write_text(json.dumps(told))


def row(
    values: list[Any] | None,
    params: list[list[str]] | None = None,
    *,
    spread: float = 0.0,
    version: str = "1",
):
    """Return the result of a benchmark; with a spread, its quartiles lie that share away, over ten samples."""
    if not spread or values is None:
        return [values, params or [], version]
    low, high = [value * (1 - spread) for value in values], [value * (1 + spread) for value in values]
    return [
        values,
        params or [],
        version,
        0,
        1.0,
        None,
        None,
        low,
        high,
        [1] * len(values),
        [10] * len(values),
    ]


def write(
    folder: Path,
    commit: int,
    results: dict[str, Any],
    *,
    machine: str = "ci",
    date: int | None = None,
    name: str = "",
) -> Path:
    """Write the result file of one commit; its date is its number of days unless told otherwise."""
    file = folder / machine / (name or f"{sha(commit)[-8:]}-existing.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "commit_hash": sha(commit),
        "env_name": "existing",
        "date": (commit if date is None else date) * 86_400_000,
        "params": {"machine": machine, "cpu": "a CPU", "os": "Linux", "ram": "1"},
        "result_columns": list(COLUMNS),
        "results": results,
        "version": 2,
    }
    file.write_text(json.dumps(told))
    return file
