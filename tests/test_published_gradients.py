"""The page about gradients says what was measured, and what was measured follows the laws that rkbench promises."""

import sys
from pathlib import Path

import rkbench
from rkbench.report import gradients

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import gradients_page  # noqa: E402

LAWS = {
    "backprop": "O(N·s)",
    "checkpoint": "O(N)",
    "interpolated": "O(N)",
    "segments": "O(√N)",
    "binomial": "O(log N)",
    "adjoint": "O(1)",
    "reversible": "O(1)",
}


def chosen():
    return gradients.cells(rkbench.load(gradients_page.RUN).cells)


def test_the_page_is_made_from_the_run():
    assert gradients_page.PAGE.read_text("utf-8") == gradients_page.page(), (
        "run python tests/benchmarks/gradients_page.py"
    )


def test_every_road_grows_as_it_should():
    rungs = gradients.rungs(chosen())
    roads = rungs[rungs["equal"]].groupby("variant")
    assert {name: gradients.spelt(gradients.law(ladder), ladder) for name, ladder in roads} == LAWS


def test_a_sparing_gradient_is_that_of_backprop():
    sparing = chosen()
    sparing = sparing[sparing["gradient"].isin(["checkpoint", "segments", "binomial"])]
    assert len(sparing) > 0
    assert (sparing["discrete_gradient_error"] < 1e-13).all()


def test_the_tighter_the_tolerance_the_nearer_the_adjoint_is_to_the_true_gradient():
    rungs = gradients.rungs(chosen())
    errors = rungs.loc[
        (rungs["gradient"] == "adjoint") & ~rungs["equal"] & (rungs["variant"] == "adjoint"), "error"
    ]
    assert errors.is_monotonic_decreasing
    assert errors.iloc[-1] < 1e-8
