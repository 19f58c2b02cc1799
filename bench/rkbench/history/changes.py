"""What changed, and whether that is more than noise: series that scatter are judged together, all others one by one."""

from __future__ import annotations

from collections.abc import Sequence

from rkbench.history import exact, scattering
from rkbench.history.judged import Judged
from rkbench.history.series import Series


def judge(series: Sequence[Series]) -> list[Judged]:
    """Return all series with what changed in each; the points of each are in the order of the commits."""
    noisy = iter(scattering.judge([one for one in series if scattering.holds(one)]))
    return [next(noisy) if scattering.holds(one) else exact.judge(one) for one in series]
