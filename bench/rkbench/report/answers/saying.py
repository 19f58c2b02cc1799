"""The answer of a question in sentences, which every document sets in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rkbench.report import numbers
from rkbench.report.answers import asked, rule, words
from rkbench.report.answers.asked import Asked
from rkbench.report.answers.costs import COSTS
from rkbench.report.answers.rule import Answer, Finding
from rkbench.report.once import once

if TYPE_CHECKING:
    from rkbench.report.results import Results


class Mark(NamedTuple):
    """How a finding is shown: a symbol, words, and the claim of a verdict that looks like it."""

    symbol: str
    words: str
    claim: str


MARKS: dict[Finding, Mark] = {
    "pays": Mark("▼", "pays", "faster"),
    "costs": Mark("▲", "costs more", "slower"),
    "same": Mark("=", "the same", "same"),
    "undecided": Mark("?", "undecided", "undecided"),
    "unreached": Mark("✕", "not reached", "failed"),
}

CAPTION = (
    "Higher order against lower order at equal accuracy: what it costs to reach the target of the task, which was fixed "
    "before the run. Costs are the evaluations of f in training until an epoch ends at the target, the time of that "
    "training where cells ran alone, the evaluations of f for a batch of the trained network where it ends at the target, "
    "and the first again with those networks alone whose score stays at the target when dopri5 solves them at a tight "
    "tolerance (as an ODE). A cell that failed or did not reach it costs infinity. Of each side, the setting for a seed is "
    "the one with the lowest median cost over the other seeds. Ratios are higher order over lower, paired by seed: "
    "Hodges–Lehmann estimates with exact signed-rank intervals of 95 %. A difference is claimed when Wilcoxon's p-value, "
    "Holm-corrected over the tasks of the question, is at most 0.05, for those settings and for the best over all seeds; "
    "sides are the same when the interval lies within ±2 %. A mark tells the evaluations of f in training."
)

_BY = {cost.key: cost.by for cost in COSTS}


@dataclass(frozen=True)
class Said:
    """A question and its answer.

    Attributes:
        ask: the question.
        answer: in a sentence.
        reasons: what each cost says over all tasks.
        findings: what each task says.
        notes: what was compared, and what is missing.
    """

    ask: str
    answer: str
    reasons: tuple[str, ...]
    findings: tuple[tuple[Mark, str], ...]
    notes: tuple[str, ...]


@once
def of(results: Results) -> list[Said]:
    """Return the answers of a run to the questions of its suite, none where it has none."""
    return [_said(results, one) for one in asked.of(results)]


def _said(results: Results, one: Asked) -> Said:
    names = _brief([task.name for task in one.tasks])
    reasons = [_reason(cost.key, names, one) for cost in COSTS if cost.key in one.found]
    return Said(
        one.sides.ask,
        headline(one.answers),
        tuple(reasons),
        tuple(_findings(one)),
        tuple(_notes(results, one)),
    )


def headline(answers: dict[str, Answer]) -> str:
    """Return the answer in a sentence, costs of one answer together."""
    together: dict[str, list[str]] = {}
    for key, found in answers.items():
        together.setdefault(_told(found), []).append(_BY[key])
    if not together:
        return "It cannot be told: nothing was measured on both sides."
    if len(together) == 1:
        (told,) = together
        return f"{told[0].upper()}{told[1:]}."
    parts = [f"counting {numbers.listed(costs)}, {told}" for told, costs in together.items()]
    return f"It depends on what is counted: {'; '.join(parts)}."


def _told(found: Answer) -> str:
    if found.word == "undecided":
        return "it cannot be told"
    if found.word == "it depends":
        return "it depends on the task"
    return f"{found.word}{', as far as it could be told' * found.open}"


def _brief(names: list[str]) -> list[str]:
    """Return the names of tasks without their options where these tell none of them apart."""
    bases = [name.partition("[")[0] for name in names]
    return bases if len(set(bases)) == len(names) else names


_DOES: dict[Finding, str] = {
    "pays": "pays",
    "costs": "costs more",
    "same": "costs the same",
    "undecided": "is undecided",
    "unreached": "neither side reaches the target",
}


def _reason(key: str, names: list[str], one: Asked) -> str:
    by_finding: dict[Finding, list[str]] = {}
    for name, compared in zip(names, one.found[key], strict=True):
        by_finding.setdefault(rule.finding(compared), []).append(name)
    parts = {
        finding: f"{does} on {len(by_finding[finding])} ({', '.join(by_finding[finding])})"
        for finding, does in _DOES.items()
        if finding in by_finding
    }
    nowhere = [parts.pop("unreached")] if "unreached" in parts else []
    clauses = [f"higher order {numbers.listed(list(parts.values()))}"] if parts else []
    tasks = numbers.counted(len(names), "task")
    return f"Counting {_BY[key]} on {tasks}, {'; '.join(clauses + nowhere)}."


def _findings(one: Asked) -> list[tuple[Mark, str]]:
    found = []
    for place, task in enumerate(one.tasks):
        own = [ones[place] for ones in one.found.values()]
        mark = rule.finding(own[0]) if own else "undecided"
        found.append((MARKS[mark], words.sentence(task, own)))
    return found


def _notes(results: Results, one: Asked) -> list[str]:
    low, high = (numbers.listed(list(methods)) for methods in (one.sides.low, one.sides.high))
    notes = [f"Lower order: {low}. Higher order: {high}."]
    run, known = set(results.cells["task"]), {task.name for task in one.tasks}
    absent = [task for task in one.sides.tasks if task not in run]
    lacking = [task for task in one.sides.tasks if task in run and task not in known]
    if absent:
        notes.append(f"Not part of this run: {numbers.listed(absent)}.")
    if lacking:
        notes.append(f"Without networks trained by methods of both sides: {numbers.listed(lacking)}.")
    notes += [
        f"On {task.name}, {task.missing} of {numbers.counted(task.planned, 'cell')} have not run or were skipped; what is "
        "said rests on the others."
        for task in one.tasks
        if task.missing
    ]
    return notes
