"""The answers as Markdown: a document of their own, and the first section of the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rkbench.report.answers import dependence, saying
from rkbench.report.answers.saying import Said

if TYPE_CHECKING:
    from rkbench.report.results import Results

FIGURE = "answers"
"""Stem of the figure's files."""


def parts(results: Results, escape: Callable[[str], str]) -> list[str]:
    """Return the paragraphs of the answers, none for a run whose suite asks nothing.

    Args:
        results: the run.
        escape: makes a text one that Markdown shows as it is.
    """
    said = saying.of(results)
    if not said:
        return []
    brief = [f"{escape(one.ask)} **{escape(one.answer)}**" for one in said]
    found = ["## Answers", _list(brief), *(part for one in said for part in _question(one, escape))]
    depends = dependence.sentences(results)
    if depends:
        found += ["### What it depends on", _list([escape(one) for one in depends])]
    return [*found, escape(saying.CAPTION)]


def _question(one: Said, escape: Callable[[str], str]) -> list[str]:
    parts = [f"### {escape(one.ask)}", f"**{escape(one.answer)}**"]
    for measured in one.measured:
        findings = [f"**{mark.words}**: {escape(sentence)}" for mark, sentence in measured.findings]
        parts += [f"{escape(measured.heading)}. {escape(measured.answer)}", _list(findings)]
    return [*parts, _list([escape(note) for note in (one.reaching, *one.notes) if note])]


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
