"""Under which conditions the cells were measured: on which days, on a quiet machine or not, alone or beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rkbench.record import CellStatus
from rkbench.report import frames, numbers
from rkbench.sentinel import LIMIT

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook


def reused(results: Results) -> pd.Series:
    """Return which cells were measured before the run was last started; their results were taken over as they are."""
    manifest = results.manifest
    starts = manifest.get("sessions") or [manifest.get("started_at", "")]
    last = _times(pd.Series(starts[-1:])).iloc[0]
    return (_times(results.cells["measured_at"]) < last) & ~_idle(results.cells)


def _times(texts: pd.Series) -> pd.Series:
    """Return moments as times, NaT where the text is none."""
    return pd.to_datetime(texts, utc=True, errors="coerce", format="ISO8601")


def days(results: Results) -> str:
    """Return the day, or the first and the last, on which cells were measured; that of the start where none tells."""
    known = results.cells["measured_at"].str[:10]
    started = str(results.manifest.get("started_at", ""))[:10]
    return _span(known[known != ""]) or started


def sentences(results: Results) -> list[str]:
    """Return what a reader should know of the conditions, as sentences; those of the second label are counted too."""
    cells = pd.concat([results.cells, results.replicas])
    beside = int((~cells["timing_valid"] & (cells["status"] == CellStatus.OK)).sum())
    measured = cells[~_idle(cells)]
    found = [*_disturbances(measured), *_earlier(results), *_resumed(measured)]
    if beside:
        found.append(f"{numbers.counted(beside, 'cell')} ran beside others; no time of theirs is compared.")
    return found


def _disturbances(cells: pd.DataFrame) -> list[str]:
    """Return how many cells were measured again for a disturbed machine, and how many stay disturbed."""
    watched = int(cells["disturbance"].notna().sum())
    if not watched:
        return []
    again, still = int((cells["attempt"] > 1).sum()), int((cells["disturbance"] > LIMIT).sum())
    text = f"Of {numbers.counted(watched, 'cell')} measured alone, "
    if not again and not still:
        return [
            f"{text}none had the machine disturbed by more than {LIMIT:.0%} beside it.".replace("%", " %")
        ]
    share = f"{100 * LIMIT:g} %"
    return [
        f"{text}{again} {_were(again)} measured again since the machine was disturbed by more than {share}, and {still} "
        f"{_were(still)} kept though it was disturbed."
    ]


def _earlier(results: Results) -> list[str]:
    """Return when reused cells were measured."""
    ended = results.cells.loc[reused(results), "measured_at"].str[:10]
    if ended.empty:
        return []
    count = numbers.counted(len(ended), "cell")
    return [f"{count} {_were(len(ended))} reused from before the last start, measured on {_span(ended)}."]


def _resumed(cells: pd.DataFrame) -> list[str]:
    """Return how many cells were trained by more than one process."""
    count = int((cells["resumed_epochs"] > 0).sum())
    if not count:
        return []
    return [
        f"{numbers.counted(count, 'cell')} {_were(count)} stopped in training and went on from a checkpoint; whether the "
        "machine was disturbed is known of the last process only."
    ]


def _idle(cells: pd.DataFrame) -> pd.Series:
    return frames.pending(cells) | frames.left_out(cells)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _span(dates: pd.Series) -> str:
    """Return the first and the last of some dates; one where they agree, nothing where there is none."""
    return " to ".join(dict.fromkeys([dates.min(), dates.max()])) if len(dates) else ""
