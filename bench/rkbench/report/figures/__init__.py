"""The figures of a run, as matplotlib figures: each kind of experiment has its own."""

from __future__ import annotations

from collections.abc import Iterator

from rkbench.report.figures import (
    answer_profiles,
    answers,
    bars,
    critical,
    curves,
    depths,
    gradients,
    pareto,
    precision,
    profiles,
    signals,
    stability,
    steps,
    tolerance,
)
from rkbench.report.figures.style import INK, THEME, Drawing
from rkbench.report.results import Results

__all__ = ["INK", "THEME", "Drawing", "draw"]

_KINDS = (
    answers.draw,
    answer_profiles.draw,
    curves.draw,
    bars.draw,
    pareto.draw,
    depths.draw,
    tolerance.draw,
    critical.draw,
    precision.draw,
    gradients.draw,
    signals.draw,
    profiles.draw,
    steps.draw,
    stability.draw,
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures that the run has numbers for."""
    for kind in _KINDS:
        yield from kind(results)
