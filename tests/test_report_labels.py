"""A solver's label is as short as its run allows, and unique within it."""

import pandas as pd
import pytest
from test_report_example import cell

from rkbench.report import labels


def labelled(*cells):
    frame = pd.DataFrame(list(cells)).astype({"steps": "Int64", "rtol": "float64", "atol": "float64"})
    return list(labels.solvers(frame))


def test_equal_steps_are_counted_and_adaptive_solvers_name_their_tolerance():
    assert labelled(cell("rk4"), cell("dopri5", rtol=1e-3)) == ["rk4 ×10", "dopri5 @ 1e-3"]


def test_the_controllers_of_equal_and_adaptive_steps_are_not_told_apart_in_words():
    assert "fixed" not in labelled(cell("rk4"), cell("dopri5", rtol=1e-3))[0]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"controller": "pi"}, {"controller": "i"}, ["pi", "i"]),
        ({"norm": "rms"}, {"norm": "worst_sample"}, ["rms", "worst_sample"]),
        ({"engine": "rkbench"}, {"engine": "torchdiffeq"}, ["rkbench", "torchdiffeq"]),
        ({"control": "batch"}, {"control": "sample"}, ["per batch", "per sample"]),
        ({"threads": 1}, {"threads": 2}, ["1 thread", "2 threads"]),
        ({"epochs": 1}, {"epochs": 15}, ["1 epoch", "15 epochs"]),
        ({"method_digest": "abcd1"}, {"method_digest": "ef011"}, ["coefficients abcd", "coefficients ef01"]),
        ({"atol": 1e-3}, {"atol": 1e-6}, ["atol 1e-3", "atol 1e-6"]),
    ],
)
def test_what_differs_joins_the_label(first, second, words):
    assert labelled(cell("tsit5", rtol=1e-3, **first), cell("tsit5", rtol=1e-3, **second)) == [
        f"tsit5 @ 1e-3 · {word}" for word in words
    ]


def test_epochs_that_belong_to_the_tasks_go_unsaid():
    short, long = (cell("rk4", task=f"net[epochs={n}]", epochs=n) for n in (1, 3))
    assert labelled(short, long) == ["rk4 ×10", "rk4 ×10"]


def test_what_an_engine_does_unless_told_otherwise_goes_unsaid():
    plain, compiled = cell("tsit5", rtol=1e-3), cell("tsit5", rtol=1e-3, compiled=True)
    peer = cell("tsit5", rtol=1e-3, engine="diffrax", gradient="checkpoint")
    assert labelled(plain, compiled) == ["tsit5 @ 1e-3", "tsit5 @ 1e-3 · compiled"]
    assert labelled(plain, peer) == ["tsit5 @ 1e-3 · rkbench", "tsit5 @ 1e-3 · diffrax · checkpoint"]


def test_a_network_that_solves_nothing_has_no_solver_and_leaves_the_labels_of_others_alone():
    bare = cell("", engine="", gradient="", controller="", norm="", control="")
    found = labelled(bare, cell("rk4", steps=10), cell("dopri5", rtol=1e-3))
    assert found == ["no solver", "rk4 ×10", "dopri5 @ 1e-3"]


def test_backprop_is_said_beside_another_gradient_of_its_engine():
    plain, sparing = cell("tsit5", rtol=1e-3), cell("tsit5", rtol=1e-3, gradient="checkpoint")
    assert labelled(plain, sparing) == ["tsit5 @ 1e-3 · backprop", "tsit5 @ 1e-3 · checkpoint"]


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        ({"adjoint_rtol": 1e-5}, {"adjoint_rtol": 1e-7}, ["adjoint rtol 1e-5", "adjoint rtol 1e-7"]),
        ({"adjoint_atol": 1e-5}, {"adjoint_atol": 1e-7}, ["adjoint atol 1e-5", "adjoint atol 1e-7"]),
        ({"seminorm": True}, {"seminorm": False}, ["seminorm", "full norm"]),
        ({}, {"adjoint_rtol": 1e-7}, ["", "adjoint rtol 1e-7"]),
    ],
)
def test_the_options_of_a_solve_back_in_time_join_the_label_where_they_differ(first, second, labels):
    back = {"rtol": 1e-3, "gradient": "adjoint", "seminorm": True}
    found = labelled(cell("tsit5", **back | first), cell("tsit5", **back | second))
    assert found == [f"tsit5 @ 1e-3{f' · {words}' if words else ''}" for words in labels]


def test_a_solver_without_a_solve_back_in_time_says_nothing_about_it():
    back = {"rtol": 1e-3, "gradient": "adjoint"}
    found = labelled(
        cell("tsit5", rtol=1e-3), cell("tsit5", seminorm=True, **back), cell("tsit5", seminorm=False, **back)
    )
    assert found[0] == "tsit5 @ 1e-3 · backprop"


def test_checkpoints_join_the_label_where_they_differ():
    found = labelled(*(cell("rk4", gradient="segments", checkpoints=n) for n in (1, 5)))
    assert found == ["rk4 ×10 · 1 checkpoint", "rk4 ×10 · 5 checkpoints"]


def test_rungs_of_one_ladder_have_one_variant():
    frame = pd.DataFrame(
        [
            cell("rk4", steps=10), cell("rk4", steps=20), cell("dopri5", rtol=1e-3), cell("dopri5", rtol=1e-6),
            cell("dopri5", steps=10), cell("dopri5", rtol=1e-6, engine="scipy"),
        ]
    )  # fmt: skip
    found = labels.variants(frame.astype({"steps": "Int64", "rtol": "float64", "atol": "float64"}))
    assert list(found) == ["rkbench"] * 4 + ["equal steps · rkbench", "scipy"]


def test_an_atol_that_follows_the_rtol_is_not_repeated():
    assert labelled(cell("bs5", rtol=1e-3), cell("bs5", rtol=1e-6)) == ["bs5 @ 1e-3", "bs5 @ 1e-6"]


@pytest.mark.parametrize(
    ("value", "text"), [(1e-3, "1e-3"), (2.5e-4, "2.5e-4"), (0.0, "0"), (1 / 3, repr(1 / 3)), (1.0, "1e0")]
)
def test_tolerances_are_spelled_as_people_say_them_and_lose_no_digit(value, text):
    assert labels.power_of_ten(value) == text
    assert float(text) == value
