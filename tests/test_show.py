"""A tableau printed as in a book, with its facts, and its stability region drawn."""

from typing import Any

import matplotlib.image
import pytest

import rkbench_solvers
from rkbench import show
from rkbench.errors import UserError
from rkbench.tableau import ButcherTableau

METHODS = {method.name: method for method in rkbench_solvers.METHODS}


def facts(method):
    """The labelled lines under the table."""
    lines = show.as_text(method).rsplit("\n\n", 1)[1].splitlines()
    return dict(line.split("  ", 1) for line in lines if "  " in line)


def fact(name, label):
    return facts(METHODS[name])[label].strip()


def test_kuttas_method_looks_as_in_a_book():
    lines = show.as_text(METHODS["rk4"]).splitlines()
    assert lines[0] == "rk4"
    assert lines[2:8] == [
        "0   │",
        "1/2 │ 1/2",
        "1/2 │ 0    1/2",
        "1   │ 0    0    1",
        "────┼───────────────────",
        "b   │ 1/6  1/3  1/3  1/6",
    ]


def test_the_embedded_weights_stand_under_the_weights_in_the_same_columns():
    lines = show.as_text(METHODS["bosh3"]).splitlines()
    b, hat = (next(line for line in lines if line.startswith(start)) for start in ("b ", "b̂"))
    assert b.split() == ["b", "│", "2/9", "1/3", "4/9", "0"]
    assert hat.split() == ["b̂", "│", "7/24", "1/4", "1/3", "1/8"]
    assert b.index("1/3") == hat.replace("\u0302", "").index("1/4")


@pytest.mark.parametrize("name", [method.name for method in METHODS.values() if method.stages <= 9])
def test_no_table_of_up_to_nine_stages_is_wider_than_a_terminal(name):
    table = show.as_text(METHODS[name]).rsplit("\n\n", 1)[0]
    assert max(len(line) for line in table.splitlines()) <= show.WIDTH


def test_long_entries_are_rounded_and_said_to_be():
    text = show.as_text(METHODS["tsit5"])
    assert "(longer entries are rounded to 6 digits here; the method itself is exact)" in text
    assert "-0.00848066" in text
    assert "rounded" not in show.as_text(METHODS["dopri5"])


def test_a_decimal_stays_one_and_a_short_ratio_too():
    assert "0.161 " in show.as_text(METHODS["tsit5"])
    assert "1/2" in show.as_text(METHODS["rk4"])
    assert "3/10" in show.as_text(METHODS["dopri5"])


def test_three_solutions_make_three_lines_of_weights():
    text = show.as_text(METHODS["dop853"])
    assert [line.split(" │")[0].strip() for line in text.splitlines() if line.startswith("b")] == [
        "b",
        "b̂",
        "b̂ low",
    ]


@pytest.mark.parametrize(
    ("name", "label", "value"),
    [
        ("dopri5", "order", "5, proved exactly"),
        ("dopri5", "embedded", "4, proved exactly"),
        ("dopri5", "error estimate", "shrinks as h^5, so controllers use the exponent 1/5"),
        ("dopri5", "cost", "7 stages, first same as last (FSAL): 6 evaluations of f per step"),
        ("dopri5", "real stability", "3.30657, 0.5511 per evaluation"),
        ("dopri5", "imaginary stability", "0.997189, 0.1662 per evaluation"),
        ("dopri5", "principal error", "0.0003991, 2-norm over the trees of order 6"),
        ("dopri5", "dense output", "order 4"),
        ("dopri5", "row sums", "each row of a sums to its node c"),
        ("euler", "cost", "1 stage: 1 evaluation of f per step"),
        ("euler", "embedded", "none: equal steps only"),
        ("rk4", "dense output", "none: steps are cut to land on output times"),
    ],
)
def test_a_fact_is_told(name, label, value):
    assert fact(name, label) == value


def test_a_proof_within_rounding_says_its_residual():
    assert fact("dopri8", "order") == "8, proved with residual 6.5e-18"


def test_the_source_is_told_and_its_absence_too():
    assert fact("heun2", "source").startswith("Heun (1900), Neue Methode")
    method = ButcherTableau(name="x", order=1, c=(0,), a=((),), b=(1,))
    assert facts(method)["source"].strip() == "none given"


def test_rows_that_do_not_sum_to_their_nodes_are_told():
    method = ButcherTableau(name="off", order=2, c="1/3 2/3", a=((), (1,)), b="1/2 1/2")
    expected = "row 1 (off by -0.333), 2 (off by +0.333) does not sum to its node c; the order is proved by two-coloured trees"
    assert facts(method)["row sums"].strip() == expected


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_shown(name):
    assert show.as_text(METHODS[name]).startswith(f"{name}\n")


@pytest.mark.parametrize("suffix", show.PICTURES)
def test_the_suffix_chooses_the_format_of_the_picture(tmp_path, suffix):
    path = tmp_path / f"region{suffix}"
    show.plot(METHODS["rk4"], path)
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert path.read_bytes().startswith(starts[suffix])


def test_the_picture_is_coloured_where_the_method_is_stable(tmp_path):
    show.plot(METHODS["euler"], tmp_path / "euler.png")
    picture = matplotlib.image.imread(tmp_path / "euler.png")
    colourful = (picture[..., :3].max(-1) - picture[..., :3].min(-1)) > 0.1
    assert 0.15 < colourful.mean() < 0.8


def axes_of(method) -> Any:
    return show._figure(method).axes[0]


def test_the_frame_holds_the_region_and_leaves_far_dots_out():
    """DOP853 has an island no wider than a dot near -25."""
    left, right = axes_of(METHODS["dop853"]).get_xlim()
    assert -9 < left < -6.4
    assert right > 0
    low, high = axes_of(METHODS["ssprk104"]).get_ylim()
    assert low == pytest.approx(-high)
    assert high > 7.4


def test_the_picture_names_the_method_and_both_intervals():
    assert axes_of(METHODS["dopri5"]).get_title() == "dopri5: order 5, 7 stages"
    labels = axes_of(METHODS["dopri5"]).get_legend_handles_labels()[1]
    assert labels == ["real interval 3.307", "imaginary interval 0.9972"]
    assert axes_of(METHODS["euler"]).get_legend_handles_labels()[1] == ["real interval 2"]


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"Cannot draw into .*region.bmp: name a file that ends in .pdf, .png, .svg"
    ):
        show.plot(METHODS["rk4"], tmp_path / "region.bmp")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="There is no folder .*nowhere to draw into; make it first"):
        show.plot(METHODS["rk4"], tmp_path / "nowhere" / "region.png")
