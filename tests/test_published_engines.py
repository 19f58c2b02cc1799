"""The page about engines says what was measured, and what was measured bears out what rkbench promises."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import engines_page  # noqa: E402
from interleaved import ratio  # noqa: E402


def measured(name):
    return json.loads((engines_page.MEASURED / f"training_step_{name}.json").read_text("utf-8"))


def test_the_page_is_made_from_the_measurements():
    assert engines_page.PAGE.read_text("utf-8") == engines_page.page(), (
        "run python tests/benchmarks/engines_page.py"
    )


@pytest.mark.parametrize(
    ("slower", "faster", "least"),
    [
        ("dopri5 torchdiffeq", "dopri5 rkbench", 2.5),
        ("dopri5 torchode", "dopri5 rkbench", 2.0),
        ("dopri5 torchdiffeq", "dopri5 rkbench speculative", 4.0),
        ("rk38×10 torchdiffeq", "rk4×10 rkbench compiled", 1.9),
    ],
)
def test_the_published_ratios_hold_what_is_promised(slower, faster, least):
    seconds = measured("2_threads_without_diffrax")["seconds"]
    assert ratio(seconds[slower], seconds[faster])[0] >= least


def test_no_compiled_solve_is_further_above_the_floor_than_promised():
    seconds = measured("2_threads_without_diffrax")["seconds"]
    for name, most in (("dopri5 rkbench", 2.0), ("dopri5 rkbench speculative", 1.25)):
        assert ratio(seconds[name], seconds["dopri5 floor"], seconds["empty step"])[0] <= most


def test_a_ratio_is_that_of_the_rounds_and_not_of_the_medians():
    assert ratio([2.0, 4.0, 60.0], [1.0, 2.0, 30.0]) == (2.0, 2.0, 2.0)
    assert ratio([3.0, 3.0], [2.0, 2.0], [1.0, 1.0])[0] == 2.0
