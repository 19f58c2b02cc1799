"""One series: what one benchmark with one set of parameters gave, commit by commit, on one machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

State = Literal["measured", "failed", "not applicable"]
Kind = Literal["time", "memory", "exact"]

_KINDS: dict[str, Kind] = {"time": "time", "timeraw": "time", "peakmem": "memory", "mem": "memory"}
"""Type of a benchmark, as asv calls it -> what its numbers are."""

_UNITS: dict[str, Kind] = {
    **dict.fromkeys(("seconds", "s", "ms", "us", "µs", "ns", "milliseconds", "microseconds"), "time"),
    **dict.fromkeys(("bytes", "B", "kB", "KiB", "MB", "MiB", "GB", "GiB"), "memory"),
}
"""First word of the unit of a tracked number -> what it is; every other one repeats itself."""


class Point(NamedTuple):
    """What a benchmark gave at one commit.

    Attributes:
        commit: hash of the commit.
        value: in the unit of the series; NaN unless it was measured.
        deviation: standard deviation of the logarithms of the samples behind the value; 0 where there are none.
        state: whether there is a value, and if not, why.
    """

    commit: str
    value: float
    deviation: float
    state: State


@dataclass(frozen=True)
class Series:
    """A benchmark with one set of parameters, on one machine in one environment.

    Attributes:
        machine: name of the machine, as asv knows it.
        environment: Python and packages, as asv names them.
        benchmark: dotted name.
        parameters: their values, separated by commas; empty without any.
        unit: of the values.
        kind: whether values vary from run to run as times or as memory do, or repeat themselves.
        points: one for every commit at which it was tried.
    """

    machine: str
    environment: str
    benchmark: str
    parameters: str
    unit: str
    kind: Kind
    points: tuple[Point, ...]

    @property
    def label(self) -> str:
        """The benchmark and its parameters."""
        return f"{self.benchmark} ({self.parameters})" if self.parameters else self.benchmark

    @property
    def measured(self) -> tuple[Point, ...]:
        """The points that have a value."""
        return tuple(point for point in self.points if point.state == "measured")

    def arranged(self, places: dict[str, int]) -> Series:
        """Return the series in the order of its commits, without those that have no place."""
        known = [point for point in self.points if point.commit in places]
        return replace(self, points=tuple(sorted(known, key=lambda point: places[point.commit])))


def kind_of(benchmark_type: str, unit: str) -> Kind:
    """Return what the numbers of a benchmark are, from its type and unit."""
    first = unit.split()[0] if unit.strip() else ""
    return _KINDS.get(benchmark_type) or _UNITS.get(first, "exact")
