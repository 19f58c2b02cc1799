"""The way back over steps whose states are mostly not kept: complete, within its memory, and as short as can be."""

from functools import cache
from itertools import pairwise

import pytest

from rkbench.integrate.gradients.schedule import binomial, fewest_advances, snapshot_steps, way_back
from rkbench.integrate.gradients.snapshots import BINOMIAL, SEGMENTS

TABLE = [(10, 3, 15), (20, 4, 39), (40, 5, 92), (56, 5, 140), (60, 3, 234)]
"""Steps, snapshots, and the advances of binomial checkpointing (Griewank & Walther 2000)."""

SMALL = [(steps, snapshots) for steps in range(1, 25) for snapshots in range(1, 8)]


def walked(actions, steps, kept):
    """Walk a plan as it says; return its advances, and the most states kept at a time."""
    kept, now, left, advances, most = set(kept), None, steps, 0, len(kept)
    for verb, step in actions:
        if verb == "restore":
            assert step in kept
            now = step
        elif verb == "advance":
            assert now == step
            now, advances = step + 1, advances + 1
        elif verb == "store":
            assert now == step
            kept.add(step)
            most = max(most, len(kept))
        elif verb == "reverse":
            assert now == step == left - 1
            now, left = None, step
        else:
            kept.remove(step)
    assert left == 0
    return advances, most


def kept_forth(keeping, steps, known, asked=None):
    """Return which states are kept of those before, between and after the steps."""
    snapshots = keeping.forth(steps if known else None, asked)
    for step in range(steps + 1):
        snapshots.offer(step, step)
        assert asked is None or len(snapshots.kept) <= asked
    return [step for step in snapshots.kept if step < steps]


@cache
def fewest(steps, snapshots):
    """The recursion that the formula solves: advance to the next snapshot, reverse what is beyond, then what is not."""
    if steps == 1:
        return 0
    if snapshots == 1:
        return steps * (steps - 1) // 2
    return min(m + fewest(steps - m, snapshots - 1) + fewest(m, snapshots) for m in range(1, steps))


@pytest.mark.parametrize(("steps", "snapshots", "advances"), TABLE)
def test_the_advances_are_those_of_the_literature(steps, snapshots, advances):
    assert walked(binomial(0, steps, snapshots), steps, {0}) == (advances, snapshots)
    assert fewest_advances(steps, snapshots) == advances


@pytest.mark.parametrize(("steps", "snapshots"), SMALL)
def test_no_plan_is_shorter(steps, snapshots):
    advances, most = walked(binomial(0, steps, snapshots), steps, {0})
    assert advances == fewest_advances(steps, snapshots) == fewest(steps, snapshots)
    assert most <= snapshots


@pytest.mark.parametrize(("steps", "snapshots"), SMALL)
def test_the_snapshots_of_the_way_forth_spare_the_way_back_what_led_to_them(steps, snapshots):
    kept = snapshot_steps(steps, snapshots)
    advances, most = walked(way_back(kept, steps, lambda before, length: snapshots - before), steps, kept)
    assert advances == fewest_advances(steps, snapshots) - kept[-1]
    assert most <= snapshots


def test_one_snapshot_per_step_is_no_deep_recursion():
    assert walked(binomial(0, 3000, 3000), 3000, {0}) == (2999, 3000)


def test_a_plan_does_not_begin_with_nothing():
    assert list(way_back([0], 1, lambda before, length: 1)) == [("restore", 0), ("reverse", 0)]


@pytest.mark.parametrize("keeping", [SEGMENTS, BINOMIAL])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("asked", [None, 1, 3])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 64, 100, 1000])
def test_every_solve_finds_its_way_back(keeping, known, asked, steps):
    kept = kept_forth(keeping, steps, known, asked)
    assert kept[0] == 0
    assert kept == sorted(kept)
    walked(way_back(kept, steps, keeping.back(steps, asked)), steps, kept)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("steps", [10, 64, 100, 1000, 5000])
def test_segments_keep_about_two_square_roots_and_go_each_step_once_more(known, steps):
    kept = kept_forth(SEGMENTS, steps, known)
    advances, most = walked(way_back(kept, steps, SEGMENTS.back(steps, None)), steps, kept)
    assert most <= (2 if known else 2.2) * steps**0.5 + 2
    assert advances == steps - len(kept)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("steps", [10, 64, 100, 1000, 5000])
def test_binomial_keeps_about_a_logarithm(known, steps):
    kept = kept_forth(BINOMIAL, steps, known)
    advances, most = walked(way_back(kept, steps, BINOMIAL.back(steps, None)), steps, kept)
    assert most <= steps.bit_length()
    shortest = fewest_advances(steps, steps.bit_length()) - snapshot_steps(steps, steps.bit_length())[-1]
    assert advances == shortest if known else shortest <= advances <= 1.5 * shortest


def test_thinned_snapshots_lie_evenly():
    kept = kept_forth(SEGMENTS, 1000, known=False, asked=10)
    assert 5 <= len(kept) <= 10
    assert len({b - a for a, b in pairwise(kept)}) == 1


@pytest.mark.parametrize("asked", [2, 10, 25])
def test_a_known_number_of_steps_is_cut_into_the_segments_asked_for(asked):
    assert kept_forth(SEGMENTS, 100, known=True, asked=asked) == list(range(0, 100, 100 // asked))
