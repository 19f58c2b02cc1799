"""What `rkbench compare` gives: a table with a sentence for every row, and the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from rkbench.errors import RunError
from rkbench.report import account
from rkbench.report.comparison import changes, words
from rkbench.report.comparison.circumstances import differences
from rkbench.report.comparison.pooled import pool
from rkbench.report.results import Results, load


def compare(*run_folders: str | Path) -> pd.DataFrame:
    """Return one row per task, solver and run, but for the first run, with which all others are compared.

    The first run is A, the next B, and so on. ``x_a`` are medians over seeds of A and ``x_b`` those of the run that
    ``run`` names. ``time_ratio`` is that run's time ÷ A's and ``test_accuracy_difference`` its accuracy - A's, both over
    the seeds that either has, with intervals in ``…_low`` and ``…_high``, ``…_claim`` (more, less, same or undecided) and
    the Holm-corrected ``…_p``. ``relative_time_ratio`` is the same after each time was divided by the baseline's of its
    own run. Times are NaN unless both were measured alone on one machine. ``note`` says what else differs, and
    ``sentence`` what may be said.

    Raises:
        RunError: a folder holds no readable run, or there are not two of them.
    """
    return frame(changes.of(loaded(run_folders)))


def as_json(*run_folders: str | Path) -> str:
    """Return the comparison as JSON: ``runs``, ``changes`` (the rows of `compare`) and ``pooled``; NaN is null.

    Raises:
        RunError: a folder holds no readable run, or there are not two of them.
    """
    runs = loaded(run_folders)
    told = [
        {
            "run": name,
            "folder": str(folder),
            "title": account.title(one),
            "started": account.date(one),
            "cells": account.denominators(one),
            "differences": differences(runs["A"], one),
        }
        for (name, one), folder in zip(runs.items(), run_folders, strict=True)
    ]
    rows = {"changes": _rows(frame(changes.of(runs))), "pooled": _rows(pool(runs))}
    return json.dumps({"runs": told} | rows, indent=1)


def loaded(run_folders: tuple[str | Path, ...]) -> dict[str, Results]:
    """Return the runs by name: A, B, and so on."""
    if len(run_folders) < 2:
        raise RunError("A comparison takes two runs or more; name a second run folder.")
    return {_name(place): load(folder) for place, folder in enumerate(run_folders)}


def _name(place: int) -> str:
    """Return A to Z, then AA and so on."""
    before, letter = divmod(place, 26)
    return (_name(before - 1) if before else "") + chr(ord("A") + letter)


def frame(found: list[changes.Change]) -> pd.DataFrame:
    """Return changes as the rows of `compare`."""
    return pd.DataFrame([changes.row(one) | {"sentence": words.sentence(one)} for one in found])


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows that strict JSON can hold: NaN and infinities as None."""
    return json.loads(table.to_json(orient="records", double_precision=15))
