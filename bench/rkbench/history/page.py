"""The page of a history: one file without network, in the look of a run's report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rkbench.history import figure, table, told, words
from rkbench.history.commits import Commit
from rkbench.history.history import History
from rkbench.history.judged import Judged
from rkbench.history.printed import MARKS, summary
from rkbench.report import appearance
from rkbench.report.figures.style import THEME
from rkbench.report.page import inline, sort_key, unbroken

OPEN = 8
"""Sentences about one commit that are shown unasked."""

_CLAIMS = {"worse": "slower", "better": "faster", "failed": "failed"}
"""Way of a change -> class of the page, which a run's report gave its name."""


class Block(NamedTuple):
    """One benchmark on one machine: its figure, and all that was measured.

    Attributes:
        name: of the benchmark.
        judged: its series.
        svg: the figure.
        looks: color of every set of parameters.
    """

    name: str
    judged: list[Judged]
    svg: Markup
    looks: dict[str, str]


class Place(NamedTuple):
    """One machine in one environment.

    Attributes:
        title: its names.
        facts: what asv says of it.
        commits: those that were measured there, the oldest first.
        blocks: its benchmarks.
    """

    title: str
    facts: dict[str, str]
    commits: list[Commit]
    blocks: list[Block]


def render(history: History) -> str:
    """Return the page."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("rkbench.history", "."), PackageLoader("rkbench.report", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("history.html.j2").render(
        history=history,
        summary=summary(history),
        counts=_counts(history),
        told=told.of(history.judged, history.commits),
        places=list(_places(history)),
        words=words,
        marks=MARKS,
        claims=_CLAIMS,
        open=OPEN,
        figure_caption=figure.CAPTION,
        columns=table.COLUMNS,
        sort_key=sort_key,
        unbroken=unbroken,
        breakable=_breakable,
        entry=_entry,
    )


def _counts(history: History) -> dict[str, int]:
    """Return what the page is about: how many of what."""
    changes = [change for one in history.judged for change in one.changes]
    return {
        "commits": len(history.commits),
        "series": len(history.judged),
        "worse": sum(one.regressed for one in history.judged),
        "better": sum(change.way == "better" for change in changes),
        "failed": sum(point.state == "failed" for one in history.judged for point in one.series.points),
    }


def _places(history: History) -> Iterator[Place]:
    number = 0
    for (machine, environment), judged in groupby(
        history.judged, lambda one: (one.series.machine, one.series.environment)
    ):
        own = list(judged)
        tried = {point.commit for one in own for point in one.series.points}
        commits = [commit for commit in history.commits if commit.hash in tried]
        blocks = []
        for name, found in groupby(own, lambda one: one.series.benchmark):
            number += 1
            blocks.append(_block(name, list(found), commits, f"series_{number}"))
        yield Place(f"{machine}, {environment}", history.facts[machine, environment], commits, blocks)


def _block(name: str, judged: list[Judged], commits: list[Commit], drawn_as: str) -> Block:
    svg = inline(drawn_as, figure.draw(drawn_as, judged, commits).encode("svg"), THEME)
    looks = appearance.of(one.series.parameters for one in judged)
    return Block(name, judged, svg, {parameters: look.color for parameters, look in looks.items()})


def _entry(judged: Judged, commit: Commit) -> str:
    """Return what a series gave at a commit; nothing where it was not tried."""
    found = [point for point in judged.series.points if point.commit == commit.hash]
    if not found:
        return ""
    return words.value(judged.series, found[0].value) if found[0].state == "measured" else found[0].state


def _breakable(name: str) -> Markup:
    """Return a dotted name that a narrow page may break after a dot or an underscore."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))
