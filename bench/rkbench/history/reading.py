"""The files of asv, read without asv: ``benchmarks.json``, and one file for every machine, commit and environment.

Nothing in them is trusted: a file that is no result of asv is left out, and a note says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rkbench.errors import HistoryError
from rkbench.history.grid import Benchmark, points
from rkbench.history.series import Point, Series, kind_of
from rkbench.printable import cleaned

BENCHMARKS = "benchmarks.json"
_NO_RESULTS = (BENCHMARKS, "machine.json")
_LAST = 253_402_300_800_000
"""The end of the year 9999, in milliseconds since 1970."""
_FACTS = ("cpu", "num_cpu", "ram", "os", "arch", "python")


@dataclass(frozen=True)
class Archive:
    """What a folder of results holds.

    Attributes:
        series: all of them, their points in the order of the files.
        dates: hash of every commit -> when it was made, in seconds since 1970.
        facts: machine and environment -> what asv says of them, by its names.
        notes: a sentence for everything that was left out.
    """

    series: list[Series]
    dates: dict[str, float]
    facts: dict[tuple[str, str], dict[str, str]]
    notes: list[str]


def read(folder: Path) -> Archive:
    """Read a folder of asv's results.

    Raises:
        HistoryError: it holds none, or what they measure is not told.
    """
    benchmarks = _benchmarks(folder)
    files, notes = _files(folder)
    if not files:
        raise HistoryError(f"{folder} holds no results of asv; run `asv run` for some commits first.")
    return _archive(benchmarks, files, notes)


def _archive(
    benchmarks: dict[str, Benchmark], files: list[tuple[str, dict[str, Any]]], notes: list[str]
) -> Archive:
    found: dict[tuple[str, str, str, str], dict[str, Point]] = {}
    facts: dict[tuple[str, str], dict[str, str]] = {}
    skipped: dict[str, int] = {}
    for name, file in files:
        place = (file["params"]["machine"], file["env_name"])
        facts[place] = {key: str(file["params"][key]) for key in _FACTS if file["params"].get(key)}
        for benchmark, parameters, point in points(file, benchmarks, skipped):
            known = found.setdefault((*place, benchmark, parameters), {})
            if point.commit in known:
                skipped[f"{name} repeats a commit of another file"] = 1
            known.setdefault(point.commit, point)
    series = [_series(key, benchmarks[key[2]], tuple(known.values())) for key, known in found.items()]
    notes += [f"Left out: {why}{f' ({count} times)' if count > 1 else ''}." for why, count in skipped.items()]
    return Archive(series, {file["commit_hash"]: file["date"] / 1000 for _, file in files}, facts, notes)


def _series(key: tuple[str, str, str, str], benchmark: Benchmark, measured: tuple[Point, ...]) -> Series:
    return Series(*key, benchmark.unit, kind_of(benchmark.type, benchmark.unit), measured)


def _benchmarks(folder: Path) -> dict[str, Benchmark]:
    """Return what was measured, by name."""
    try:
        told = _json(folder / BENCHMARKS)
    except FileNotFoundError:
        raise HistoryError(
            f"{folder} holds no {BENCHMARKS}; give the results_dir of asv.conf.json, and run `asv run` first."
        ) from None
    except (OSError, ValueError) as error:
        raise HistoryError(
            f"{folder / BENCHMARKS} cannot be read ({error}); `asv run --bench just-discover` writes it again."
        ) from None
    return {
        name: Benchmark(str(one.get("type", "")), str(one.get("unit", "")), str(one.get("version", "")))
        for name, one in told.items()
        if isinstance(one, dict)
    }


def _files(folder: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Return the result files that can be read, by name, and a note for each other JSON file."""
    found, notes = [], []
    for path in _paths(folder):
        name = str(path.relative_to(folder))
        try:
            file = _json(path)
            _check(file)
        except (OSError, ValueError) as error:
            notes.append(f"{name} is left out: {error}.")
        else:
            found.append((name, file))
    return found, notes


def _paths(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.json")) if path.name not in _NO_RESULTS)


def _check(file: dict[str, Any]) -> None:
    """Refuse what is no result of asv.

    Raises:
        ValueError: something is missing or of the wrong type.
    """
    kinds = {
        "commit_hash": str, "env_name": str, "date": (int, float), "params": dict, "results": dict, "result_columns": list
    }  # fmt: skip
    for key, kind in kinds.items():
        if not isinstance(file.get(key), kind):
            raise ValueError(f"it is no result of asv ({key} is missing or of the wrong type)")
    if not all(isinstance(name, str) for name in file["result_columns"]):
        raise ValueError("its result_columns are no names")
    if not isinstance(file["params"].get("machine"), str):
        raise ValueError("it names no machine")
    if not 0 <= file["date"] < _LAST:
        raise ValueError("its date is none")
    letters = set(file["commit_hash"])
    if not letters or not letters <= set("0123456789abcdef"):
        raise ValueError(f"{file['commit_hash']!r} is no hash of a commit")


def _json(path: Path) -> dict[str, Any]:
    """Return what a file holds; asv writes NaN, which is no JSON, and Python reads it.

    Raises:
        OSError: it cannot be opened.
        ValueError: it does not hold a JSON object.
    """
    try:
        found = cleaned(json.loads(path.read_text(encoding="utf-8")))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    return found
