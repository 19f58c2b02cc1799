"""An interval against a band of differences that do not matter."""

import math

import pytest

from rkbench.report import statistics


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.01, 0.015, "equivalent"),
        (-0.02, 0.02, "equivalent"),
        (0.005, 0.01, "equivalent"),
        (-0.01, 0.03, "undecided"),
        (0.01, 0.03, "undecided"),
        (0.021, 0.03, "different"),
        (-0.3, -0.021, "different"),
        (-math.inf, math.inf, "undecided"),
        (0.5, math.inf, "different"),
        (math.nan, math.nan, "undecided"),
    ],
)
def test_an_interval_is_within_the_band_or_outside_or_neither(low, high, said):
    assert statistics.equivalence(low, high, 0.02) == said


def test_a_band_of_nothing_calls_equal_only_what_is():
    assert statistics.equivalence(0.0, 0.0, 0.0) == "equivalent"
    assert statistics.equivalence(0.0, 1e-9, 0.0) == "undecided"


@pytest.mark.parametrize("band", [-0.01, math.nan])
def test_a_senseless_band_is_refused(band):
    with pytest.raises(ValueError, match="band"):
        statistics.equivalence(0.0, 1.0, band)
