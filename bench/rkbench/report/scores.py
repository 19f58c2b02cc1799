"""What a training task is judged by: accuracy, of which more is better, or a score of its own, of which less is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from rkbench.record import LOGARITHMS
from rkbench.report import numbers


@dataclass(frozen=True)
class Score:
    """The score of a task.

    Attributes:
        name: in a sentence, ``test accuracy`` or ``test RMSE``.
        unit: as a heading has it after a comma; empty for none.
        column: of cells and epochs.
        training: the same on the training set.
        spell: says a value, without its unit.
        more_is_better: whether it grows as a network learns.
        by_ratio: whether two of them are compared by their ratio, else by their difference.
    """

    name: str
    unit: str
    column: str
    training: str
    spell: Callable[[float], str]
    more_is_better: bool = False
    by_ratio: bool = False

    @property
    def heading(self) -> str:
        """Return what heads its column, ``test accuracy, %``."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    def told(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{self.spell(value)} {self.unit}".rstrip()


ACCURACY = Score(
    "test accuracy", "%", "test_accuracy", "train_accuracy", numbers.percent, more_is_better=True
)


def of(rows: pd.DataFrame) -> Score:
    """Return the score of a task, from its cells, epochs or rows of the summary."""
    known = rows["score"].dropna() if "score" in rows else pd.Series(dtype=object)
    text = next((one for one in known.unique() if one), "")
    if not text:
        return ACCURACY
    name, _, unit = str(text).partition(", ")
    by_ratio = unit not in LOGARITHMS
    return Score(f"test {name}", unit, "test_score", "train_score", numbers.significant, by_ratio=by_ratio)
