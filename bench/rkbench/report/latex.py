r"""The tables as LaTeX: one file per task, to be ``\input``, with rules from booktabs and nothing else.

Whatever a plugin is called, the file compiles, with pdfTeX, XeTeX and LuaTeX alike: it is pure ASCII, and a letter that
the standard fonts lack is written as its code point.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Container, Iterator
from itertools import count, groupby

from rkbench.report import account, tables
from rkbench.report.results import Results
from rkbench.report.table import Cell, Column, Row, Table

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"{\char34}", "'": r"{\char39}", "`": r"{\char96}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # after the end of a row, a bracket or a star would be its argument
    "×": r"$\times$", "÷": r"$\div$", "±": r"$\pm$", "·": r"$\cdot$", "∞": r"$\infty$", "≤": r"$\le$", "≥": r"$\ge$",
    "▼": r"$\downarrow$", "▲": r"$\uparrow$", "✕": r"$\times$",
    "→": r"$\rightarrow$", "√": r"$\surd$", "†": r"$\dagger$", "–": "--", "—": "---", "−": "$-$", "…": r"\dots{}",
    "’": "'", "‘": "`", "“": "``", "”": "''", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ı": r"\i{}",
}  # fmt: skip

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
}  # fmt: skip
_CAPITAL_GREEK = {"gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega"}
"""Those that do not look like Latin letters."""

_NAMES = {"lamda": "lambda"}  # as Unicode spells it

_WIDEST_HEADING = 14


def files(results: Results) -> dict[str, str]:
    """Return the file name and text of every table of a run."""
    found: dict[str, str] = {}
    for one in tables.of(results):
        stem = _free(re.sub(r"[^a-z0-9]+", "-", one.task.lower())[:60].strip("-") or "task", found)
        found[f"{stem}.tex"] = render(one, stem, results)
    return found


def render(one: Table, stem: str, results: Results) -> str:
    """Return a table; columns of results and of work stand under each other, each beside the names."""
    told = (f"{one.title}.", one.caption, tables.UNTIMED if one.untimed else "", one.left_out)
    caption = " ".join(filter(None, told))
    parts = "\n\\par\\medskip\n".join(_tabular(columns, one.rows) for columns in _groups(one))
    body = [
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:rkbench-{stem}}}",
        parts,
        r"\end{table}",
    ]
    return "\n".join([*_provenance(one, results), *body]) + "\n"


def _provenance(one: Table, results: Results) -> list[str]:
    """Return where the numbers come from, as comments; no text of a stranger's may end its line."""
    told = [f"{name}: {text}" for name, text in account.provenance(results)]
    lines = [f"{account.title(results)}: {one.title}", *told, "It needs the package booktabs."]
    return [f"% {' '.join(line.split()).encode('ascii', 'backslashreplace').decode()}" for line in lines]


def _free(stem: str, taken: Container[str]) -> str:
    """Return a stem that no file has yet."""
    numbered = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
    return next(one for one in numbered if f"{one}.tex" not in taken)


def _groups(one: Table) -> list[list[Column]]:
    """Return the columns group by group, each after that of the names."""
    name, *others = one.columns
    return [[name, *columns] for _, columns in groupby(others, lambda column: column.group)]


def _tabular(columns: list[Column], rows: list[Row]) -> str:
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        r"\toprule",
        " & ".join(map(_heading, columns)) + r" \\",
        r"\midrule",
        *(" & ".join(_entries([column.cell(row) for column in columns])) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def _heading(column: Column) -> str:
    lines = textwrap.wrap(column.heading, _WIDEST_HEADING, break_long_words=False, break_on_hyphens=False)
    side = "l" if column.heading == "solver" else "r"
    text = r" \\ ".join(map(escape, lines))
    return text if len(lines) == 1 else rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{text}\end{{tabular}}"


def _entries(cells: list[Cell]) -> Iterator[str]:
    name, *numbers = (f"{cell.text} [{cell.interval}]" if cell.interval else cell.text for cell in cells)
    yield escape(name)
    for text in numbers:
        yield escape(re.sub(r"(?<![\w-])-(?=\d)", "−", text))


def escape(text: str) -> str:
    """Return a text that LaTeX prints as it is, on one line and in a table, whoever wrote it."""
    letters = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(
        _letter(one) + _apart(one, after) for one, after in zip(letters, letters[1:] + " ", strict=False)
    )


def _apart(letter: str, after: str) -> str:
    """Return what keeps two letters from becoming one, as two hyphens become a dash."""
    return "{}" if (letter in "-–" and after in ("-", "–")) or letter == after == "," else ""


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if " " <= letter <= "~":
        return letter
    return _accented(letter) or _greek(letter) or _raised(letter) or f"{{[}}U+{ord(letter):04X}{{]}}"


def _accented(letter: str) -> str:
    base, *marks = unicodedata.normalize("NFD", letter)
    if not (base.isascii() and base.isalpha() and marks and all(mark in _ACCENTS for mark in marks)):
        return ""
    for mark in marks:
        base = rf"\{_ACCENTS[mark]}{{{base}}}"
    return base


def _greek(letter: str) -> str:
    script, _, rest = unicodedata.name(letter, "").partition(" ")
    size, _, spelled = rest.partition(" LETTER ")
    name = spelled.lower()
    name = _NAMES.get(name, name)
    if script == "GREEK" and size == "SMALL" and name in _GREEK:
        return rf"$\{name}$"
    return (
        rf"$\{name.capitalize()}$"
        if script == "GREEK" and size == "CAPITAL" and name in _CAPITAL_GREEK
        else ""
    )


def _raised(letter: str) -> str:
    """Return a raised or lowered digit."""
    how, _, code = unicodedata.decomposition(letter).partition(" ")
    if how not in ("<super>", "<sub>") or len(code) != 4 or not chr(int(code, 16)).isdigit():
        return ""
    return f"${'^' if how == '<super>' else '_'}{{{chr(int(code, 16))}}}$"
