"""A history: the series of a folder in the order of their commits, judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rkbench.errors import HistoryError
from rkbench.history import commits as order
from rkbench.history import reading
from rkbench.history.changes import judge
from rkbench.history.commits import Commit
from rkbench.history.judged import Judged


@dataclass(frozen=True)
class History:
    """Series over commits.

    Attributes:
        folder: of asv's results.
        commits: those that were measured, the oldest first.
        judged: every series, by machine and environment, then benchmark.
        facts: machine and environment -> what asv says of them.
        notes: what was left out, and other oddities.
    """

    folder: Path
    commits: list[Commit]
    judged: list[Judged]
    facts: dict[tuple[str, str], dict[str, str]]
    notes: list[str]

    @property
    def regressed(self) -> bool:
        """Whether a series stands worse at its latest commit than before."""
        return any(one.regressed for one in self.judged)


def load(folder: str | Path, since: str | None = None) -> History:
    """Read and judge a folder of asv's results.

    Args:
        folder: the ``results_dir`` of asv.
        since: a commit, branch or tag; what was measured before it is left out, and so accepted as it is.

    Raises:
        HistoryError: there are no results, or none since then.
    """
    folder = Path(folder)
    archive = reading.read(folder)
    found, why = order.ordered(archive.dates, folder)
    if since is not None:
        found = _from(found, since, folder)
    places = {commit.hash: commit.place for commit in found}
    series = [one.arranged(places) for one in archive.series]
    series = sorted(
        (one for one in series if one.points), key=lambda one: (one.machine, one.environment, one.benchmark)
    )
    return History(folder, found, judge(series), archive.facts, archive.notes + [why] * bool(why))


def _from(found: list[Commit], since: str, folder: Path) -> list[Commit]:
    kept = order.since(found, since, folder)
    if kept is None:
        raise HistoryError(
            f"No commit here is named {since!r}; give the hash, branch or tag of one that was measured."
        )
    if not kept:
        raise HistoryError(f"Nothing was measured since {since!r}; give an older commit, or run `asv run`.")
    return kept
