"""The answer of a question in sentences, which every document sets in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rkbench.report import numbers
from rkbench.report.answers import asked, rule, words
from rkbench.report.answers.asked import Asked
from rkbench.report.answers.costs import COSTS, Cost
from rkbench.report.answers.marks import MARKS, Mark
from rkbench.report.answers.rule import Answer, Finding, Word
from rkbench.report.once import once

if TYPE_CHECKING:
    from rkbench.report.results import Results

CAPTION = (
    "Higher order against lower order, twice. At equal evaluations of f: the error after training, of settings that take no "
    "more evaluations of f in a training step than the most of either side; of a classifier the share of wrong answers, of a "
    "likelihood exp(NLL). As an ODE: when dopri5 solves the trained network at a tight tolerance, as likelihoods are judged in "
    "any case; of a classifier, what that changes of its first 1000 test samples. And at equal accuracy: what it takes to "
    "reach the target of the task. A cell that failed, cannot be solved tightly or did not reach the target costs infinity. "
    "Of each side, the setting for a seed is the one with the lowest median over the other seeds. Ratios are higher order over "
    "lower, paired by seed: Hodges–Lehmann estimates with exact signed-rank intervals, of 95 % were the settings given, a "
    "little less as they are chosen. A difference is claimed when Wilcoxon's p-value, Holm-corrected over the tasks of the "
    "question by one measure, is at most 0.05, for those settings and for the best over all seeds; sides are the same when the "
    "interval lies within ±2 %. The answer rests on the errors, which need no target: yes where they are less on every task "
    "that was decided, no where they are on none."
)


@dataclass(frozen=True)
class Measured:
    """What the tasks of a question say by one measure.

    Attributes:
        heading: the measure.
        answer: what all tasks say together, in a sentence.
        findings: what each of them says.
    """

    heading: str
    answer: str
    findings: tuple[tuple[Mark, str], ...]


@dataclass(frozen=True)
class Said:
    """A question and its answer.

    Attributes:
        ask: the question.
        answer: in a sentence.
        measured: what its tasks say by each measure of their errors.
        reaching: what reaching the target takes, in a sentence; empty where nothing is known.
        notes: what was compared, and what is missing.
    """

    ask: str
    answer: str
    measured: tuple[Measured, ...]
    reaching: str
    notes: tuple[str, ...]


@once
def of(results: Results) -> list[Said]:
    """Return the answers of a run to the questions of its suite, none where it has none."""
    return [_said(results, one) for one in asked.of(results)]


def _said(results: Results, one: Asked) -> Said:
    known = [cost for cost in COSTS if cost.key in one.found]
    return Said(
        one.sides.ask,
        headline({cost.by: one.answers[cost.key] for cost in known if cost.at_equal}),
        tuple(_measured(one, cost) for cost in known if cost.at_equal),
        _reaching(one),
        tuple(_notes(results, one)),
    )


def headline(answers: dict[str, Answer]) -> str:
    """Return the answer in a sentence, measures of one answer together; ``answers`` by what they rest on."""
    together: dict[Word, list[str]] = {}
    for by, found in answers.items():
        together.setdefault(found.word, []).append(by)
    if not together:
        return "It cannot be told: nothing can be compared on any seed."
    told: dict[Word, str] = {}
    for word, which in together.items():
        told[word] = _told(Answer(word, any(answers[by].open for by in which)))
    if len(told) == 1:
        return _sentence(*told.values())
    parts = "; ".join(f"by {numbers.listed(together[word])}, {text}" for word, text in told.items())
    return (
        _sentence(parts) if "undecided" in told and len(told) == 2 else f"It depends on the measure: {parts}."
    )


def _told(found: Answer) -> str:
    if found.word == "undecided":
        return "it cannot be told"
    if found.word == "it depends":
        return "it depends on the task"
    return f"{found.word}{', as far as it could be told' * found.open}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


_LEAVES: dict[Finding, str] = {
    "pays": "less error",
    "costs": "more error",
    "same": "as much error",
    "undecided": "undecided",
    "unreached": "unknown",
}
_TAKES: dict[Finding, str] = {
    "pays": "less",
    "costs": "more",
    "same": "as much",
    "undecided": "undecided",
    "unreached": "not reached by either side",
}


def _measured(one: Asked, cost: Cost) -> Measured:
    compared = one.found[cost.key]
    findings = [
        (MARKS[rule.finding(found)], words.sentence(task, found))
        for task, found in zip(one.tasks, compared, strict=True)
    ]
    answer = _sentence(f"{_told(one.answers[cost.key])}: {_tally(one, cost)}")
    return Measured(cost.heading, answer, tuple(findings))


def _reaching(one: Asked) -> str:
    """Return what reaching the target takes, in a sentence; which task is which, the table tells."""
    costs = [cost for cost in COSTS if cost.key in one.found and not cost.at_equal]
    parts = [f"by {cost.by}, {numbers.listed(_counts(one, cost))}" for cost in costs]
    return (
        f"To reach the target of {numbers.counted(len(one.tasks), 'task')}, {'; '.join(parts)}."
        if parts
        else ""
    )


def _counts(one: Asked, cost: Cost) -> list[str]:
    found = [rule.finding(compared) for compared in one.found[cost.key]]
    return [f"{text} on {found.count(finding)}" for finding, text in _TAKES.items() if finding in found]


def _tally(one: Asked, cost: Cost) -> str:
    """Return on which tasks each thing was found: ``less error on 2 (spiral 0.86×, pendulum 0.85×), undecided on 1 (moons)``."""
    names = _brief([task.name for task in one.tasks])
    by_finding: dict[Finding, list[str]] = {}
    for name, compared in zip(names, one.found[cost.key], strict=True):
        ratio = f" {numbers.significant(compared.decision.estimate.median)}×"
        finding = rule.finding(compared)
        by_finding.setdefault(finding, []).append(name + ratio * (finding in ("pays", "costs")))
    parts = [(text, by_finding[finding]) for finding, text in _LEAVES.items() if finding in by_finding]
    return numbers.listed([f"{text} on {len(which)} ({', '.join(which)})" for text, which in parts])


def _brief(names: list[str]) -> list[str]:
    """Return the names of tasks without their options where these tell none of them apart."""
    bases = [name.partition("[")[0] for name in names]
    return bases if len(set(bases)) == len(names) else names


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
