"""A run in a few numbers and sentences, for scripts: what ``rkbench run --json`` and ``rkbench report --json`` print."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rkbench.report import account, frames, verdicts
from rkbench.report.answers import saying
from rkbench.report.answers.saying import Measured, Said
from rkbench.report.results import Results


def of(results: Results, folder: Path, page: Path) -> dict[str, Any]:
    """Return what a script asks of a run, as strict JSON holds it.

    Returns:
        ``folder`` and ``page`` as paths; ``cells``: how many were planned, run, failed, skipped and not run yet;
        ``statuses``: how many cells ended in each; ``failures``; ``verdicts``: task, solver, sentence and claim of each;
        ``notes``: what to know of the numbers; and where the suite asks questions, ``answers``: question, answer, what
        each task says by each measure, what reaching the target takes, and notes on each.
    """
    cells = results.cells
    kinds = {"failed": frames.failed, "skipped": frames.left_out, "not_run": frames.pending}
    counts = {name: int(kind(cells).sum()) for name, kind in kinds.items()}
    planned = len(cells)
    statuses = cells.loc[~frames.pending(cells), "status"].value_counts(sort=False)
    answers = [_answer(one) for one in saying.of(results)]
    told = {
        "folder": str(folder),
        "page": str(page),
        "title": account.title(results),
        "cells": {"planned": planned, "run": planned - counts["skipped"] - counts["not_run"]} | counts,
        "statuses": {str(status): int(count) for status, count in statuses.items()},
        "failures": account.failures(results, most=len(results.cells)).to_dict("records"),
        "verdicts": [asdict(one) for one in verdicts.of(results)],
        "notes": results.notes + verdicts.notes(results),
    }
    return told | ({"answers": answers} if answers else {})


def _answer(one: Said) -> dict[str, Any]:
    measured = [asdict(each) | {"findings": _findings(each)} for each in one.measured]
    return asdict(one) | {"measured": measured}


def _findings(each: Measured) -> list[dict[str, str]]:
    return [{"finding": mark.words, "sentence": sentence} for mark, sentence in each.findings]
