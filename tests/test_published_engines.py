"""The page about engines says what was measured, and what was measured bears out what rkbench promises."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import engines_page  # noqa: E402
from interleaved import ratio  # noqa: E402

import rkbench  # noqa: E402


def measured(name):
    return json.loads((engines_page.MEASURED / f"{name}.json").read_text("utf-8"))


def test_the_page_is_made_from_the_measurements():
    assert engines_page.PAGE.read_text("utf-8") == engines_page.page(), (
        "run python tests/benchmarks/engines_page.py"
    )


@pytest.mark.parametrize(
    ("slower", "faster", "least"),
    [
        ("dopri5 torchdiffeq", "dopri5 rkbench", 2.5),
        ("dopri5 torchode", "dopri5 rkbench", 2.0),
        ("dopri5 torchdiffeq", "dopri5 rkbench compiled", 4.0),
        ("dopri5 torchdiffeq", "dopri5 rkbench speculative", 4.0),
        ("rk38×10 torchdiffeq", "rk4×10 rkbench", 1.4),
        ("rk38×10 torchdiffeq", "rk4×10 rkbench compiled", 2.0),
    ],
)
def test_the_published_ratios_hold_what_is_promised(slower, faster, least):
    seconds = measured("training_step_2_threads_without_diffrax")["seconds"]
    assert ratio(seconds[slower], seconds[faster])[0] >= least


def test_no_compiled_solve_is_further_above_the_floor_than_promised():
    seconds = measured("training_step_2_threads_without_diffrax")["seconds"]
    for name, most in (("dopri5 rkbench", 2.0), ("dopri5 rkbench speculative", 1.25)):
        assert ratio(seconds[name], seconds["dopri5 floor"], seconds["empty step"])[0] <= most


@pytest.mark.parametrize(("name", "most"), [("dopri5", 1.03), ("rk4×2", 1.03)])
def test_at_size_the_engine_is_lost_in_the_noise(name, most):
    seconds = measured("convolutional_1_threads")["seconds"]
    assert ratio(seconds[f"{name} rkbench"], seconds[f"{name} floor"], seconds["empty step"])[0] <= most


@pytest.mark.parametrize(
    ("solver", "in_process"),
    [
        ("dopri5_shampine @ 1e-3 · torchdiffeq", "dopri5 torchdiffeq"),
        ("dopri5_shampine @ 1e-3 · torchode", "dopri5 torchode"),
        ("dopri5_shampine @ 1e-3 · torchdyn", "dopri5 torchdyn"),
        ("dopri5_shampine @ 1e-3 · rkbench · compiled · speculative", "dopri5 rkbench speculative"),
    ],
)
def test_the_harness_gives_the_ratios_that_one_process_gives(solver, in_process):
    cells = rkbench.load(engines_page.RUN).cells
    times = cells[cells["task"] == "digits8_tanh"].pivot(
        index="seed", columns="solver", values="train_seconds"
    )
    harness = (times[solver] / times["dopri5_shampine @ 1e-3 · rkbench"]).median()
    seconds = measured("training_step_1_threads")["seconds"]
    assert harness == pytest.approx(ratio(seconds[in_process], seconds["dopri5 rkbench"])[0], rel=0.15)


def test_a_ratio_is_that_of_the_rounds_and_not_of_the_medians():
    assert ratio([2.0, 4.0, 60.0], [1.0, 2.0, 30.0]) == (2.0, 2.0, 2.0)
    assert ratio([3.0, 3.0], [2.0, 2.0], [1.0, 1.0])[0] == 2.0


def test_compiled_it_is_faster_than_compiled_jax():
    seconds = measured("training_step_2_threads")["seconds"]
    assert ratio(seconds["dopri5 diffrax"], seconds["dopri5 rkbench compiled"])[0] >= 1.5
