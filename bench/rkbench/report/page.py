"""The report as one self-contained page: no network, figures drawn into it, colors of the reader's choice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rkbench.report import account, appearance, conditions, opening, tables, verdicts
from rkbench.report.answers import dependence, saying
from rkbench.report.results import Results
from rkbench.report.table import Cell, Table
from rkbench.report.verdict import Verdict


def render(results: Results, figures: Iterable[tuple[str, str, str, bytes]], theme: dict[str, str]) -> str:
    """Return the page.

    Args:
        results: the run.
        figures: name, title, caption and SVG of each.
        theme: color in the figures → CSS value, so that they follow the page into the dark.
    """
    environment = Environment(
        loader=PackageLoader("rkbench.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found = tables.of(results)
    return environment.get_template("page.html.j2").render(
        account=account,
        results=results,
        days=conditions.days(results),
        answers=saying.of(results),
        depends=dependence.sentences(results),
        answer_caption=saying.CAPTION,
        said=opening.of(results, found),
        notes=opening.notes(results),
        marks=opening.MARKS,
        verdict_caption=verdicts.CAPTION,
        named=_named,
        unbroken=unbroken,
        coded=_coded,
        looks=_looks(results, found),
        tables=found,
        captions=tables.captions(found),
        figures=[(name, title, caption, inline(name, svg, theme)) for name, title, caption, svg in figures],
        sort_key=sort_key,
    )


def inline(name: str, svg: bytes, theme: dict[str, str]) -> Markup:
    """Return a figure of ours as an element of the page: scalable, themed, its ids its own."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    for color, value in theme.items():
        text = text.replace(color, value)
    return Markup(
        re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 role="img"', text, count=1).replace(
            ' height="', ' data-height="', 1
        )
    )


def _looks(results: Results, found: list[Table]) -> dict[str, appearance.Look]:
    """Return the look of every name in the tables that has one: of a solver or ladder, or of a row's solver."""
    own = appearance.of_run(results.cells)
    rows = ((one.columns[0].cell(row).text, row.get("solver")) for one in found for row in one.rows)
    return own | {name: own[solver] for name, solver in rows if solver in own}


def _named(verdict: Verdict) -> Markup:
    """Return the sentence of a verdict, with the solver's name set apart where it comes first."""
    found = re.search(rf"(?<!\w){re.escape(verdict.solver)}(?!\w)", verdict.sentence)
    if found is None:
        return Markup("{}").format(verdict.sentence)
    sentence, (start, end) = verdict.sentence, found.span()
    return Markup("{}<b>{}</b>{}").format(sentence[:start], unbroken(sentence[start:end]), sentence[end:])


def unbroken(text: str) -> Markup:
    """Return a text with numbers such as 1e-3 kept on one line, which a browser breaks at the hyphen."""
    parts = re.split(r"(\b\d[\d.]*e-\d+)", text)
    return Markup("").join(
        Markup('<span class="whole">{}</span>').format(part) if n % 2 else part
        for n, part in enumerate(parts)
    )


def _coded(text: str) -> Markup:
    """Return a sentence with what stands between backticks set as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts)
    )


def sort_key(cell: Cell) -> str:
    """Return what the page sorts a cell by; a missing number comes after infinity."""
    return "" if isinstance(cell.key, float) and math.isnan(cell.key) else str(cell.key)
