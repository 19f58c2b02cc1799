"""The questions of a run, with what was found on their tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rkbench.report.answers import comparison, rule, sides
from rkbench.report.answers.comparison import Comparison, Task
from rkbench.report.answers.costs import COSTS
from rkbench.report.answers.rule import Answer
from rkbench.report.answers.sides import Sides
from rkbench.report.once import once

if TYPE_CHECKING:
    from rkbench.report.results import Results


@dataclass(frozen=True)
class Asked:
    """A question with what was found.

    Attributes:
        sides: the question.
        tasks: those that the run trains with methods of both sides, in the order of the question.
        found: key of a cost -> what it is on each task; costs that were measured on some task.
    """

    sides: Sides
    tasks: list[Task]
    found: dict[str, list[Comparison]]

    @property
    def answers(self) -> dict[str, Answer]:
        """What each cost answers."""
        partial = len(self.tasks) < len(self.sides.tasks)
        return {
            key: rule.answer([rule.finding(one) for one in ones], partial=partial)
            for key, ones in self.found.items()
        }


@once
def of(results: Results) -> list[Asked]:
    """Return the questions of a run's suite, none where it has none."""
    return [_asked(results, one) for one in sides.of(results)]


def _asked(results: Results, one: Sides) -> Asked:
    tasks = comparison.tasks(results, one)
    found = {cost.key: comparison.of(results, tasks, cost) for cost in COSTS}
    measured = {key: ones for key, ones in found.items() if any(one.seeds for one in ones)}
    return Asked(one, tasks, measured)
