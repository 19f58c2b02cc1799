"""What training tasks are about: the dataset they share, or the subject that models with data of their own name."""

from __future__ import annotations

from typing import Any

import pandas as pd


def of(cells: pd.DataFrame) -> pd.Series:
    """Return for each cell the dataset of its task, or its subject; empty for a task that has neither.

    A cell that came to nothing is about what the others of its task are about.
    """
    subjects = cells.groupby("task")["subject"].agg(_told)
    return cells["dataset"].where(cells["dataset"] != "", cells["task"].map(subjects))


def _told(known: pd.Series) -> Any:
    return next((one for one in known.dropna() if one), "")
