"""What a report of very many cells takes: ``python tests/benchmarks/scale.py 100000``.

A run is made up in a temporary folder (`many_cells`), and ``rkbench report`` is started on it twice in processes of their
own: cold, when it reads the records and keeps its cache, and warm, when it reads the cache. ``--page results/scale.md``
writes what was found as a page.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
import many_cells

from rkbench import machine, store
from rkbench.report import cache

MIB = 2**20
COMMAND = [sys.executable, "-m", "rkbench.cli", "report"]

PAGE = """# What a report of very many cells takes

Runs of synthetic records (`tests/many_cells.py`): 25 methods in 100 solvers on up to 40 tasks of three kinds, curves of 15
epochs, traces of the first seed, failures of every kind. `rkbench report` was started on each in a process of its own:
cold, when it reads the records and keeps what it read in `.cache/`, and warm, when it reads that. Seconds are from the
start of the process to its end, its imports and everything it writes included, with those of CPU in parentheses; memory
is the most that was resident.

    {command}

| cells | records | cold | warm | memory, cold | memory, warm | `index.html` | rows in it | `report/` | `.cache/` |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

Measured on {machine}, one process at a time.
The page shows what is over all tasks, the first rows of each table and the number of those left out; the frames beside
it have every cell.
"""


class Taken(NamedTuple):
    """What one process took: seconds by the clock, seconds of CPU, and the most MiB resident."""

    seconds: float
    cpu: float
    mib: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.cpu:.1f} s)"


class Measured(NamedTuple):
    """What the report of one run took, cold and warm, and the bytes of what was read and written."""

    cells: int
    records: int
    cold: Taken
    warm: Taken
    page: int
    rows: int
    report: int
    cache: int


def measure(cells: int, folder: Path) -> Measured:
    """Make up a run of so many cells in a folder and report it twice."""
    many_cells.write(folder, cells)
    cold, warm = (report(folder) for _ in range(2))
    page = (folder / "report" / "index.html").read_bytes()
    return Measured(
        cells, (folder / store.RECORDS).stat().st_size, cold, warm, len(page), page.count(b"<tr"),
        size(folder / "report"), size(folder / cache.CACHE),
    )  # fmt: skip


def report(folder: Path) -> Taken:
    """Run ``rkbench report`` on a folder.

    Raises:
        SystemExit: it failed in another way than by telling of cells that did.
    """
    began = time.perf_counter()
    process = subprocess.Popen([*COMMAND, str(folder)], stdout=subprocess.DEVNULL)
    # subprocess has no peak memory; the kernel does, of this child alone.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1) or not (folder / "report" / "index.html").exists():
        raise SystemExit(f"The report of {folder} failed; run `rkbench report {folder}`.")
    return Taken(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MIB)


def size(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def row(one: Measured) -> str:
    """Return a line of the page's table."""
    page, whole, kept = (f"{bytes_ / MIB:.1f} MiB" for bytes_ in (one.page, one.report, one.cache))
    return (
        f"| {one.cells:,} | {one.records / MIB:.0f} MiB | {one.cold} | {one.warm} "
        f"| {one.cold.mib:,.0f} MiB | {one.warm.mib:,.0f} MiB | {page} | {one.rows:,} | {whole} | {kept} |"
    )


def page(rows: list[str], command: str) -> str:
    """Return the page."""
    return PAGE.format(command=command, rows="\n".join(rows), machine=described())


def described() -> str:
    """Return the machine in words."""
    about = machine.describe()
    return f"{about['cpu']}, on {len(machine.affinity())} of {os.cpu_count()} cores"


def main() -> None:
    """Measure, print line by line, and write the page if wished."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cells", type=int, nargs="+", help="cells of each run")
    parser.add_argument("--page", type=Path, help="file to write, such as results/scale.md")
    given = parser.parse_args()
    rows = []
    for cells in given.cells:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(row(measure(cells, Path(folder) / "run")))
        print(rows[-1], flush=True)
    if given.page:
        command = shlex.join(["python", "tests/benchmarks/scale.py", *map(str, given.cells)])
        given.page.write_text(page(rows, command), encoding="utf-8")


if __name__ == "__main__":
    main()
