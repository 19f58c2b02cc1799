"""Text that a terminal, a page or a spreadsheet shows and does not obey, whoever wrote it."""

from __future__ import annotations

from typing import Any


def printable(text: str) -> str:
    """Return a text on one line, without the letters that steer a terminal or turn its writing round.

    Blanks of any kind become a space; control and format characters, and lone halves of surrogate pairs, the
    replacement character.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else "\ufffd" for one in text)


def cleaned(value: Any) -> Any:
    """Return a value of JSON with every text in it printable; what is so already is not copied."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [cleaned(entry) for entry in value]
    if isinstance(value, dict):
        entries = {printable(name): cleaned(entry) for name, entry in value.items()}
        return value if entries == value else entries
    return value
