"""Everything derived from a run, written into its ``report/`` folder; may be deleted and written again."""

from __future__ import annotations

import glob
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow as pa
from pyarrow import compute, csv

from rkbench.errors import RunError
from rkbench.plainfiles import REPORT
from rkbench.report import latex, markdown, page
from rkbench.report.answers import frame
from rkbench.report.results import Results, load


def write(run_folder: str | Path, results: Results | None = None) -> Path:
    """Write the report of a run and return its page, ``report/index.html``.

    The folder holds ``report.md``; ``summary``, ``cells``, ``replicas``, ``epochs``, ``looks`` and ``signals`` as CSV and
    Parquet, ``traces`` as Parquet; ``tables/`` as LaTeX; and ``figures/`` as SVG, PNG and PDF. Where the suite asks questions,
    ``answers.md`` answers them, with its numbers in ``answers.csv``. The same records give the same report; a failure leaves
    the old one.

    Args:
        run_folder: of the run.
        results: what was read of it, so that nothing is read and reckoned twice; by default it is read.

    Raises:
        RunError: the folder holds no readable run, or the report cannot be written.
    """
    results = results or load(run_folder)
    target = Path(run_folder) / REPORT
    try:
        with _replacing(target) as folder:
            _write_frames(results, folder)
            _write_documents(results, folder)
    except OSError as error:
        reason = (
            os.strerror(error.errno) if error.errno else error
        )  # a library's own words are not the system's
        raise RunError(
            f"{target} cannot be written ({reason}); free some space or permissions there."
        ) from None
    return target / "index.html"


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the target's place when all went well."""
    _sweep(target)
    fresh, old = (target.with_name(f".{target.name}-{word}-{_writer()}") for word in ("new", "old"))
    fresh.mkdir()
    try:
        yield fresh
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _writer() -> str:
    """Name this process among all machines that may see the folder."""
    return f"{platform.node()}-{os.getpid()}"


def _sweep(target: Path) -> None:
    """Put back the report that a killed writer of this machine had moved aside, and remove what else it left."""
    for left in sorted(
        target.parent.glob(f".{target.name}-*-{glob.escape(platform.node())}-*"), reverse=True
    ):
        process = left.name.rpartition("-")[2]
        if not process.isdecimal() or psutil.pid_exists(int(process)):
            continue
        if left.name.startswith(f".{target.name}-old-") and not target.exists():
            left.rename(target)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _write_frames(results: Results, folder: Path) -> None:
    names = ("cells", "replicas", "epochs", "looks", "signals", "traces")
    tidy = {name: getattr(results, name) for name in names}
    for name, table in (tidy | {"summary": results.summary()}).items():
        if name != "traces":  # long, and for machines to read
            _write_csv(table, folder / f"{name}.csv")
        table.to_parquet(folder / f"{name}.parquet", index=False)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a frame as pandas would, in a tenth of the time."""
    csv.write_csv(_inert(pa.Table.from_pandas(table, preserve_index=False)), path)


def _inert(table: pa.Table) -> pa.Table:
    """Return a table of whose texts a spreadsheet takes none for a formula."""
    functions: Any = compute  # whose functions are made as it is imported, out of sight of a type checker
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            texts = functions.replace_substring_regex(table.column(place), r"^([=+\-@])", r"'\1")
            table = table.set_column(place, field, texts)
    return table


def _write_documents(results: Results, folder: Path) -> None:
    (folder / "tables").mkdir()
    for name, text in latex.files(results).items():
        (folder / "tables" / name).write_text(text, encoding="ascii")
    from rkbench.report import figures  # here, since it imports matplotlib

    pictures = folder / "figures"
    pictures.mkdir()
    described, drawn = [], []
    for drawing in figures.draw(results):
        svg = drawing.encode("svg")
        (pictures / f"{drawing.name}.svg").write_bytes(svg)
        for kind in ("png", "pdf"):
            (pictures / f"{drawing.name}.{kind}").write_bytes(drawing.encode(kind))
        described.append((drawing.name, drawing.title, drawing.caption))
        drawn.append((*described[-1], svg))
    if answers := markdown.answers(results, described):
        (folder / "answers.md").write_text(answers, encoding="utf-8")
        _write_csv(frame.of(results), folder / "answers.csv")
    (folder / "report.md").write_text(markdown.render(results, described), encoding="utf-8")
    (folder / "index.html").write_text(page.render(results, drawn, figures.THEME), encoding="utf-8")
