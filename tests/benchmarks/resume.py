"""What it takes to take up a run of very many records: ``python tests/benchmarks/resume.py 100000``.

A run of so many cells and one more is made up in a temporary folder, all but the last measured, with curves of 15 epochs as a
training leaves them. ``rkbench run`` is then given the folder in a process of its own, which is ended as its first cell
begins: seconds are from the start of the process to there, with those of CPU in parentheses, and memory is the most that was
resident.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rkbench import registry, runner, store, suite
from rkbench.plan import Cell, blank_record, expand, now
from rkbench.record import CellStatus

MIB = 2**20
EPOCHS = 15
BLOCK = 4
"""Cells of the suite `quick` with each seed: three solvers, and the baseline's second label."""

STOPPED = """
import os
from rkbench import progress
from rkbench.cli import main
progress.Screen.started = lambda screen, cell: os._exit(0)
main()
"""
"""The command line, which ends when its first cell begins."""


def make(folder: Path, records: int) -> list[str]:
    """Write a run of so many records and one cell more; return the arguments that take it up."""
    seeds = -(-(records + 1) // BLOCK)
    chosen, plugins = suite.select(suite.load("quick"), seeds=seeds), registry.load()
    cells = expand(chosen, plugins)
    job = runner.Job(
        chosen, cells, (), "", methods=[plugins.method(name) for name in {cell.method for cell in cells}]
    )
    folder.mkdir(parents=True)
    store.write_manifest(folder, runner._manifest(job, {}, None, measures=True))
    with (folder / store.RECORDS).open("w", encoding="utf-8") as file:
        for number, cell in enumerate(cells[:records]):
            file.write(measured(cell, number) + "\n")
    return ["run", "quick", "--seeds", str(seeds), "--out", str(folder), "--yes"]


def measured(cell: Cell, number: int) -> str:
    """Return the line of a cell that ended well."""
    record = blank_record(cell)
    noise = 1 + 1e-4 * (number % 997)
    record.status, record.measured_at, record.timing_valid, record.cpus = CellStatus.OK, now(), True, "0"
    record.train_seconds, record.wall_seconds, record.test_accuracy = 2.0 * noise, 5.0 * noise, 0.95 / noise
    record.nfe_forward, record.accepted, record.rejected, record.parameters = 40, 10, 1, 4810
    record.curve = [
        {
            "epoch": epoch, "seconds": 0.13 * noise, "train_loss": noise / epoch, "test_loss": 1.1 * noise / epoch,
            "test_accuracy": 0.9 / noise, "nfe_forward": 40, "accepted": 10, "rejected": 1,
        }
        for epoch in range(1, EPOCHS + 1)
    ]  # fmt: skip
    return record.to_json()


def taken(arguments: list[str]) -> str:
    """Return what the command took until its first cell, on a disk that is done with making the run."""
    os.sync()
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", STOPPED, *arguments], stdout=subprocess.DEVNULL)
    # subprocess has no peak memory; the kernel does, of this child alone.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The run could not be taken up; try `rkbench {' '.join(arguments)}`.")
    cpu, mib = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MIB
    return f"{seconds:.1f} s ({cpu:.1f} s) | {mib:,.0f} MiB"


def main() -> None:
    """Measure, and print line by line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("records", type=int, nargs="+", help="records of each run")
    print(
        "| records | `records.jsonl` | `manifest.json` | until the first cell | memory |\n|---:|---:|---:|---:|---:|"
    )
    for records in parser.parse_args().records:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "run"
            arguments = make(folder, records)
            sizes = [
                f"{(folder / name).stat().st_size / MIB:.0f} MiB" for name in (store.RECORDS, store.MANIFEST)
            ]
            print(f"| {records:,} | {' | '.join(sizes)} | {taken(arguments)} |", flush=True)


if __name__ == "__main__":
    main()
