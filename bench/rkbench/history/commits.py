"""The order of commits: that of the repository around the results, or else of the dates that asv wrote down."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rkbench.printable import printable

_PATIENCE = 60
"""Seconds that git may take."""


class Commit(NamedTuple):
    """A commit that was measured.

    Attributes:
        hash: all of it.
        seconds: when it was made, in seconds since 1970.
        subject: the first line of its message; empty where no repository knows it.
        place: how many commits of the history come before it.
    """

    hash: str
    seconds: float
    subject: str
    place: int

    @property
    def short(self) -> str:
        """The first letters of the hash."""
        return self.hash[:8]

    @property
    def day(self) -> str:
        """The day on which it was made, in UTC."""
        return f"{datetime.fromtimestamp(self.seconds, UTC):%Y-%m-%d}"

    @property
    def name(self) -> str:
        """The short hash, and the subject where it is known."""
        return f"{self.short} {self.subject}".rstrip()


def ordered(dates: dict[str, float], folder: Path) -> tuple[list[Commit], str]:
    """Return commits, the oldest first, and a sentence where their dates had to decide.

    Args:
        dates: hash -> seconds since 1970.
        folder: the repository, or a folder in it.
    """
    history = _history(folder, list(dates))
    if all(name in history for name in dates):
        places = {name: place for place, name in enumerate(history)}
        why = ""
    else:
        places = {
            name: place for place, name in enumerate(sorted(dates, key=lambda name: (dates[name], name)))
        }
        why = "Commits are in the order of their dates, since no repository here knows all of them."
    found = [Commit(name, dates[name], history.get(name, ""), places[name]) for name in dates]
    return sorted(found, key=lambda commit: commit.place), why


def since(commits: list[Commit], name: str, folder: Path) -> list[Commit] | None:
    """Return the commits from that on which a hash, its beginning, a branch or a tag names; None where it names none.

    Args:
        commits: those that were measured, the oldest first.
        name: of the first one to keep, which need not have been measured if the repository knows it.
        folder: the repository, or a folder in it.
    """
    asked = f"{name}^{{commit}}"
    full = _git(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", asked]).strip()
    for place, commit in enumerate(commits):
        if commit.hash.startswith(full or name):
            return commits[place:]
    places = {
        known: place for place, known in enumerate(_history(folder, [full, *(one.hash for one in commits)]))
    }
    if full not in places:
        return None
    return [commit for commit in commits if places.get(commit.hash, -1) > places[full]]


def _history(folder: Path, names: list[str]) -> dict[str, str]:
    """Return hash -> subject of all known commits among some and of all before them, parents before children."""
    asked = "\n".join(names) + "\n"
    told = _git(folder, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], asked)
    known = [line.split()[0] for line in told.splitlines() if line.endswith(" commit")]
    if not known:
        return {}
    listed = _git(
        folder, ["log", "--topo-order", "--reverse", "--format=%H %s", "--stdin"], "\n".join(known) + "\n"
    )
    return {
        name: printable(subject)
        for name, _, subject in (line.partition(" ") for line in listed.split("\n") if line)
    }


def _git(folder: Path, arguments: list[str], written: str = "") -> str:
    """Return what git says; nothing where there is no repository, or no git."""
    quiet = [
        "-c",
        "log.showSignature=false",
        "-c",
        "log.mailmap=false",
    ]  # nothing that a stranger's repository configures
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "--no-pager", *quiet, *arguments],
            input=written, capture_output=True, text=True, errors="replace", timeout=_PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
