"""Series made ready for networks: split, standardised, part of each held out, padded to one length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rkbench.errors import DataError, UserError
from rkbench.tasks.series_file import Row, read

if TYPE_CHECKING:
    from torch import Generator, Tensor

DATA_SEED = 17
"""What is held out is the same for every seed, which draws weights and the order of batches."""

SHARE = 4
"""One in so many times of a series is asked for, the others are given."""


class Prepared(NamedTuple):
    """Series in batches' worth of tensors.

    Attributes:
        train: t, x, seen of what is given, then of what is asked for; see `rkbench.networks.observed.Observed`. Times
            count from the first of each series, in units of the longest series of the training set; values are less
            the mean of the training set, in units of its deviation, column by column.
        test: likewise, every fifth series.
        n: numbers in an observation.
        pace: the mean time between observations of the training set.
    """

    train: tuple[Tensor, ...]
    test: tuple[Tensor, ...]
    n: int
    pace: float


def prepared(file: str, ask: str, *, centred: bool) -> Prepared:
    """Return the series of a file, of which the test asks for the last quarter, or for a random one inside.

    Raises:
        DataError: the file is not as it should be, or nothing in it changes.
        UserError: there is nothing else to ask for.
    """
    import torch

    if ask not in ("extrapolation", "interpolation"):
        raise UserError(
            f"Series cannot be asked for with ask={ask!r:.60}; ask for extrapolation or interpolation."
        )
    found, random = read(file), torch.Generator().manual_seed(DATA_SEED)
    every = [_parted(rows, ask, random, centred) for rows in found.series.values()]
    test, train = every[4::5], [one for i, one in enumerate(every) if i % 5 != 4]
    values = torch.cat([x for one in train for x in (one.x, one.x_asked)])
    mean = values.nanmean(0)
    deviation = (values - mean).square().nanmean(0).sqrt()
    for column, size in zip(found.columns, deviation.tolist(), strict=True):
        if not 0 < size < math.inf:
            raise DataError(
                f"The column {column!r:.60} does not change in the series to train with; drop it."
            )
    unit = max(one.span for one in train)
    pace = sum(one.span for one in train) / unit / sum(one.times - 1 for one in train)
    ready = [_together([one.scaled(unit, mean, deviation) for one in half]) for half in (train, test)]
    return Prepared(ready[0], ready[1], len(found.columns), pace)


class _Parted(NamedTuple):
    """A series: times ``[given]`` and values ``[given, n]``, NaN where there is none, and what is asked for likewise."""

    t: Tensor
    x: Tensor
    t_asked: Tensor
    x_asked: Tensor

    @property
    def span(self) -> float:
        return float(max(self.t[-1], self.t_asked[-1]))

    @property
    def times(self) -> int:
        return len(self.t) + len(self.t_asked)

    def scaled(self, unit: float, mean: Tensor, deviation: Tensor) -> _Parted:
        x, x_asked = ((x - mean) / deviation for x in (self.x, self.x_asked))
        return _Parted(self.t / unit, x, self.t_asked / unit, x_asked)


def _parted(rows: list[Row], ask: str, random: Generator, centred: bool) -> _Parted:
    """Return a series in float64, its times from 0; ``centred``, less the mean of what is given, which asks for nothing."""
    import torch

    times, values = zip(*rows, strict=True)
    t = torch.tensor([time - times[0] for time in times], dtype=torch.float64)
    x = torch.tensor(values, dtype=torch.float64)
    asked = _asked(len(t), ask, random)
    level = x[~asked].nanmean(0).nan_to_num(0.0) if centred else 0.0
    return _Parted(t[~asked], x[~asked] - level, t[asked], x[asked] - level)


def _asked(times: int, ask: str, random: Generator) -> Tensor:
    """Return which of the times are asked for: the last quarter, or as many of those between the first and the last."""
    import torch

    count, asked = times // SHARE, torch.zeros(times, dtype=torch.bool)
    if ask == "extrapolation":
        asked[-count:] = True
    else:
        asked[1 + torch.randperm(times - 2, generator=random)[:count]] = True
    return asked


def _together(many: list[_Parted]) -> tuple[Tensor, ...]:
    """Return t ``[series, times]``, x and seen ``[series, times, n]`` of what is given, then of what is asked for."""
    given, asked = ([(one.t, one.x) for one in many], [(one.t_asked, one.x_asked) for one in many])
    return (*_padded(given), *_padded(asked))


def _padded(many: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return what is as long as the longest; `rkbench.networks.observed.packed` makes of the rest what it must be."""
    from torch.nn.utils.rnn import pad_sequence

    t = pad_sequence([t for t, _ in many], batch_first=True)
    x = pad_sequence([x for _, x in many], batch_first=True, padding_value=math.nan)
    return t, x.nan_to_num(0.0), ~x.isnan()
