"""A broken tableau is refused at birth, in one sentence that names the place and the size of the mistake."""

import dataclasses
import math
import warnings
from fractions import Fraction as F
from typing import Any

import pytest

import rkbench_solvers
from rkbench.errors import TableauError, UserError
from rkbench.tableau import ButcherTableau, TableauWarning

METHODS = {method.name: method for method in rkbench_solvers.METHODS}

BOSH3: dict[str, Any] = {
    "name": "mine",
    "order": 3,
    "c": (0, F(1, 2), F(3, 4), 1),
    "a": ((), (F(1, 2),), (0, F(3, 4)), (F(2, 9), F(1, 3), F(4, 9))),
    "b": (F(2, 9), F(1, 3), F(4, 9), 0),
    "b_embedded": (F(7, 24), F(1, 4), F(1, 3), F(1, 8)),
    "embedded_order": 2,
}
A = BOSH3["a"]
E = BOSH3["b_embedded"]
GARBAGE = (True, None, "", "abc", "1/0", "nan", "inf", "-inf", "0x1", 1j, [], {}, b"1", object)

REFUSED = {
    "flipped sign": (
        {"a": (*A[:2], (0, F(-3, 4)), A[3])},
        ["order 3 is claimed, but b has order 1", "row a[3] sums to -0.75 where c[3] = 0.75 (off by -1.5)"],
    ),
    "flipped sign that only the embedded solution sees": (
        {"a": (*A[:3], (F(2, 9), F(-1, 3), F(4, 9)))},
        ["embedded_order 2 is claimed, but b_embedded has order 1", "row a[4] sums to 0.333333333333"],
    ),
    "node that plain trees cannot see": (
        {"c": (0, F(1, 2), F(2, 3), 1)},
        ["order 3 is claimed, but b has order 1", "row a[3] sums to 0.75 where c[3] = 0.666666666667"],
    ),
    "weights that do not sum to 1": (
        {"b": (F(2, 9), F(1, 3), F(3, 9), 0)},
        ["b sums to 0.888888888889 and must sum to 1 (off by 0.11)"],
    ),
    "claim above the truth": (
        {"order": 4},
        [
            "order 4 is claimed, but b has order 3: the condition of order 4 for the tree",
            "is off by",
            "order=3",
        ],
    ),
    "embedded claim above the truth": (
        {"embedded_order": 3},
        ["embedded_order 3 is claimed, but b_embedded has order 2", "claim embedded_order=2"],
    ),
    "embedded claim without weights": (
        {"b_embedded": None},
        ["embedded_order is claimed without b_embedded"],
    ),
    "embedded weights equal to b": (
        {"b_embedded": BOSH3["b"], "embedded_order": None},
        ["b_embedded equals b, so every error estimate would be 0"],
    ),
    "error weights given as a solution": (
        {"b_embedded": tuple(b - e for b, e in zip(BOSH3["b"], E, strict=True))},
        ["b_embedded sums to 0, so these are error weights"],
    ),
    "low embedded weights on their own": (
        {"b_embedded": None, "embedded_order": None, "b_embedded_low": E},
        ["b_embedded_low only refines b_embedded"],
    ),
    "NaN": ({"b": (math.nan, F(1, 3), F(4, 9), 0)}, ["b[1] = nan is not a finite number"]),
    "infinity": ({"c": (0, math.inf, F(3, 4), 1)}, ["c[2] = inf is not a finite number"]),
    "huge number": ({"b": (10**7, F(1, 3), F(4, 9), 0)}, ["b[1] = 10000000 is beyond 1e+06"]),
    "entry on the diagonal": (
        {"a": ((), (F(1, 2), F(1, 5)), *A[2:])},
        ["a[2][2] = 0.2 lies on the diagonal, which makes the method implicit"],
    ),
    "entry above the diagonal": (
        {"a": ((0, 0, 0, F(1, 7)), *A[1:])},
        ["a[1][4] = 0.142857 lies above the diagonal"],
    ),
    "short row": (
        {"a": (*A[:2], (F(3, 4),), A[3])},
        ["row a[3] has 1 entries and needs 2; write its zeros out"],
    ),
    "missing first row": ({"a": A[1:]}, ["a has 3 rows but c has 4 nodes (is the empty first row missing?)"]),
    "two rows missing": ({"a": A[2:]}, ["a has 2 rows but c has 4 nodes; give one row per stage"]),
    "missing weight": (
        {"b": BOSH3["b"][:3]},
        ["b has 3 weights for 4 stages; give one per stage, zeros included"],
    ),
    "node outside the step": (
        {"c": (0, F(1, 2), F(3, 4), 2)},
        ["node c[4] = 2 lies outside [0, 1], where f would be evaluated outside the interval"],
    ),
    "no stages": ({"c": (), "a": (), "b": (), "b_embedded": None, "embedded_order": None}, ["b sums to 0"]),
    "row that is no row": ({"b": 1}, ["b must be a row of numbers, not 1"]),
    "matrix that is no matrix": ({"a": "0 1"}, ["a must be a sequence of rows, not '0 1'"]),
    "name with a blank": ({"name": "my method"}, ["A method needs a name without blanks, not 'my method'"]),
    "no name": ({"name": ""}, ["A method needs a name without blanks, not ''"]),
    "order that is no number": ({"order": "3"}, ["order must be a whole number from 1 on, not '3'"]),
    "order that is a truth value": ({"order": True}, ["order must be a whole number from 1 on, not True"]),
    "order zero": ({"order": 0}, ["order must be a whole number from 1 on, not 0"]),
    "embedded order that is no number": (
        {"embedded_order": 2.0},
        ["embedded_order must be a whole number from 1 on, not 2.0"],
    ),
    "dense output of another shape": (
        {"interpolation": ((1, 0), (0, 1))},
        ["interpolation needs 4 rows (one per stage) of equal length"],
    ),
    "dense output that does not end on the step": (
        {"interpolation": (("1",), ("0",), ("0",), ("0",))},
        ["interpolation row 1 sums to b[1] off by 0.78"],
    ),
    "dense output that is not consistent": (
        {"interpolation": tuple((0, b) for b in BOSH3["b"])},
        ["the interpolation weights are not consistent"],
    ),
}


def make(**changes: Any) -> ButcherTableau:
    return ButcherTableau(**{**BOSH3, **changes})


def test_the_unbroken_tableau_is_accepted():
    assert (make().order, make().embedded_order) == (3, 2)


@pytest.mark.parametrize("mistake", REFUSED)
def test_it_is_refused_with_the_sentence_that_helps(mistake):
    changes, phrases = REFUSED[mistake]
    with pytest.raises(TableauError) as refusal:
        make(**changes)
    sentence = str(refusal.value)
    assert [phrase for phrase in phrases if phrase not in sentence] == [], sentence
    assert "\n" not in sentence
    assert sentence.startswith(("mine: ", "A method needs"))


def test_a_refusal_is_a_users_mistake_to_mend():
    assert issubclass(TableauError, UserError)


@pytest.mark.parametrize("value", GARBAGE, ids=repr)
def test_garbage_in_place_of_a_number_is_refused_where_it_stands(value):
    with pytest.raises(TableauError, match=r"mine: b_embedded\[2\] = .* is not a number; give a Fraction"):
        make(b_embedded=(E[0], value, *E[2:]))


@pytest.mark.parametrize("exponent", ["1e999999999", "1e-999999999", "1e99999999999999999999"])
def test_an_exponent_that_would_fill_the_memory_is_refused_at_once(exponent):
    with pytest.raises(TableauError, match=r"is not a number|has more than 1000 digits"):
        make(b=(exponent, F(1, 3), F(4, 9), 0))


def test_a_transposed_matrix_is_refused():
    full = [[*row, *[0] * (4 - len(row))] for row in A]
    with pytest.raises(TableauError, match="above the diagonal.*transposed"):
        make(a=[list(column) for column in zip(*full, strict=True)])


def test_digits_lost_to_rounding_are_refused():
    tsit5 = next(method for method in rkbench_solvers.METHODS if method.name == "tsit5")

    def rounded(digits):
        c, b, *a = ([f"{float(x):.{digits}g}" for x in row] for row in (tsit5.c, tsit5.b, *tsit5.a))
        return ButcherTableau(name="rounded", order=5, c=c, a=a, b=b)

    with pytest.raises(TableauError, match="order 5 is claimed, but b has order|b sums to"):
        rounded(7)
    assert rounded(16).order == 5


def test_a_large_coefficient_does_not_loosen_the_proof_until_all_passes():
    """Round-off grows with the coefficients, and so does the tolerance, but never to where anything is true."""
    rows = ((), (1,), ("-999999.5", "1000000"))
    with pytest.raises(TableauError, match=r"order 2 is claimed, but b has order 1: .* off by 0.12"):
        ButcherTableau(name="big", order=2, c="0 1 1/2", a=rows, b="1/2 1/4 1/4")


def test_an_accepted_tableau_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make()


def test_an_embedded_solution_that_equals_b_up_to_round_off_is_refused():
    with pytest.raises(TableauError, match="equals b"):
        ButcherTableau(
            "mine", order=4, c="0 1/2 1/2 1", a=("", "1/2", "0 1/2", "0 0 1"),
            b="1/6 1/3 1/3 1/6", b_embedded=[1 / 6, 1 / 3, 1 / 3, 1 / 6],
        )  # fmt: skip


def test_dense_output_of_low_order_is_told():
    method = METHODS["dopri5"]
    rows = [list(row) for row in method.interpolation]
    rows[2][1] += F(1, 2)
    rows[2][2] -= F(1, 2)
    rows[3][1] -= F(1, 2)
    rows[3][2] += F(1, 2)
    with pytest.warns(TableauWarning, match="dense output has order 1 only"):
        dataclasses.replace(method, interpolation=rows)


def test_an_order_beyond_what_is_proved_is_refused_as_such(monkeypatch):
    monkeypatch.setattr("rkbench.order.HIGHEST", 3)
    with pytest.raises(TableauError, match="orders above 3 are not proved here; claim order=3"):
        dataclasses.replace(METHODS["rk4"], name="mine")
