"""A change is claimed when it is more than noise, named with its commit, and forgiven once it is repaired."""

import math

import numpy as np
import pytest

from rkbench.history.changes import judge
from rkbench.history.series import Point, Series

NOISE = 0.02


def series(values, kind="exact", name="b", machine="ci"):
    points = tuple(
        Point(str(at), value, 0.0, "measured")
        if value is not None
        else Point(str(at), math.nan, 0.0, "failed")
        for at, value in enumerate(values)
    )
    return Series(machine, "env", name, "", "s" if kind == "time" else "", kind, points)


def only(values):
    [judged] = judge([series(values)])
    return judged


def noisy(seed, commits, ratio=1.0, at=0):
    values = np.exp(NOISE * np.random.default_rng(seed).standard_normal(commits))
    values[at:] *= ratio
    return list(values)


def beside(one, count=9):
    """Return a verdict on a series among others in which nothing changes."""
    others = [series(noisy(100 + seed, len(one)), "time", f"o{seed}") for seed in range(count)]
    return judge([series(one, "time"), *others])


def test_an_exact_ratio_has_no_interval_and_any_change_is_a_change():
    [change] = only([12, 12, 14]).changes
    assert (change.way, change.before, change.at) == ("worse", "1", "2")
    assert change.ratio.median == pytest.approx(14 / 12)
    assert math.isnan(change.ratio.low)
    assert math.isnan(change.p)


def test_rounding_is_no_change():
    assert only([1e-7, 1e-7 * (1 + 1e-9)]).changes == ()
    assert len(only([1e-7, 1e-7 * (1 + 1e-5)]).changes) == 1


@pytest.mark.parametrize(
    ("values", "regressed"),
    [
        ([10, 14], True),
        ([10, 14, 14], True),
        ([10, 14, 10], False),
        ([10, 14, 9], False),
        ([10, 14, 12], True),
        ([10, 9], False),
        ([20, 10, 14], True),
        ([0, 2], True),
        ([2, 0], False),
        ([10, None], True),
        ([10, None, 10], False),
        ([None, 10], False),
        ([None, None], False),
        ([10], False),
        ([], False),
    ],
)
def test_a_regression_stands_until_it_is_repaired(values, regressed):
    assert only(values).regressed == regressed


def test_a_partial_repair_leaves_what_is_left():
    first, second = only([10, 14, 12]).changes
    assert (first.way, first.standing, first.now) == ("worse", True, pytest.approx(1.2))
    assert second.way == "better"


def test_a_series_that_fails_names_the_first_commit_at_which_it_did():
    [change] = only([10, 10, None, None]).changes
    assert (change.way, change.before, change.at) == ("failed", "1", "2")


@pytest.mark.parametrize("at", [4, 6, 7])
def test_a_slowdown_is_found_at_its_commit_with_an_interval_that_holds_it(at):
    judged, *others = beside(noisy(0, 8, 1.5, at))
    [change] = judged.changes
    assert (change.way, change.at) == ("worse", str(at))
    assert change.ratio.low < 1.5 < change.ratio.high
    assert judged.regressed
    assert not any(one.changes for one in others)


def test_two_commits_are_enough_for_a_large_slowdown_and_not_for_a_small_one():
    assert beside([1.0, 3.0])[0].regressed
    assert not beside([1.0, 1.2])[0].changes


def test_a_disturbed_commit_in_the_past_is_no_change():
    values = noisy(1, 12)
    values[5] *= 1.3
    assert beside(values)[0].changes == ()


def test_samples_that_scatter_widely_are_not_trusted():
    one = series([1.0, 3.0], "time")
    wide = Series(*[getattr(one, name) for name in ("machine", "environment", "benchmark", "parameters", "unit", "kind")],
                  tuple(point._replace(deviation=0.5) for point in one.points))  # fmt: skip
    assert judge([one])[0].regressed
    assert not judge([wide])[0].changes


def test_more_series_make_a_claim_harder():
    few, many = beside(noisy(0, 8), 9)[0], beside(noisy(0, 8), 60)[0]
    assert many.resolution > few.resolution


def test_what_could_be_seen_is_seen():
    values = noisy(2, 10)
    least = beside(values)[0].resolution
    assert beside([*values, float(np.median(values)) * least * 1.25])[0].regressed


def test_two_machines_do_not_share_their_noise():
    calm = [series(noisy(seed, 10), "time", f"b{seed}") for seed in range(8)]
    wild = [
        series(np.exp(0.2 * np.log(noisy(seed, 10)) / NOISE), "time", f"b{seed}", "wild") for seed in range(8)
    ]
    scatter = [one.noise.scatter for one in judge(calm + wild) if one.noise]
    assert max(scatter[:8]) < min(scatter[8:])


def test_numbers_about_zero_are_shown_and_not_judged():
    [judged] = judge([series([1.0, -1.0, 50.0], "time")])
    assert judged.changes == ()
    assert math.isnan(judged.resolution)
