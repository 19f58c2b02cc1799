"""How what was found is shown: a symbol and words, so that nobody has to tell colors apart."""

from __future__ import annotations

from typing import NamedTuple

from rkbench.report.answers.rule import Finding


class Mark(NamedTuple):
    """How a finding is shown: a symbol, words for errors, and the claim of a verdict that looks like it."""

    symbol: str
    words: str
    claim: str


MARKS: dict[Finding, Mark] = {
    "pays": Mark("▼", "less error", "faster"),
    "costs": Mark("▲", "more error", "slower"),
    "same": Mark("=", "the same", "same"),
    "undecided": Mark("?", "undecided", "undecided"),
    "unreached": Mark("✕", "unknown", "failed"),
}
