"""A report claims no difference where there is none, finds the one that was planted, and its page says how it was shown."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import aa  # noqa: E402


@pytest.fixture(scope="module")
def noise():
    return aa.noise()


@pytest.fixture(scope="module")
def shown(noise):
    return aa.promised(noise)


def test_the_noise_is_that_of_real_cells(noise):
    assert len(noise) >= 10
    assert all(0.8 < cell.mean() < 1.3 for cell in noise)
    assert all(cell.std() > 0 for cell in noise)


def test_of_twenty_runs_none_claims_what_is_not_there_and_eighteen_find_what_is(shown):
    false, seeds, found = shown
    assert false == 0
    assert found >= 18
    assert min(seeds) >= 6


def test_with_seeds_enough_for_a_verdict_equal_solvers_are_still_not_told_apart(noise):
    wrong = [claim for claim in aa.claims(60, 12, 0.0, noise, 7) if claim in ("slower", "faster")]
    assert len(wrong) <= 3


def test_a_faster_solver_is_not_called_slower(noise):
    assert set(aa.claims(5, 15, -0.3, noise, 8)) == {"faster"}


def test_the_page_tells_these_twenty_repetitions(shown):
    assert aa.section(*shown) in aa.PAGE.read_text("utf-8"), "run `python tests/benchmarks/aa.py`"
