"""A tableau damaged as typing damages it is refused, or has the order it claims: asked of power series, not of trees."""

import random
import time
import warnings
from fractions import Fraction as F

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rkbench_solvers
from rkbench.errors import TableauError
from rkbench.tableau import ButcherTableau

KNOWN = [method for method in rkbench_solvers.METHODS if method.stages <= 7]

quick = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def times(p, q, degree):
    """Return the product of two power series, up to a degree."""
    found = [F(0)] * (degree + 1)
    for i, x in enumerate(p):
        for j, y in enumerate(q[: degree + 1 - i]):
            found[i + j] += x * y
    return found


def field(t, y, weights, degree):
    """Return f(t, y) of three coupled components as power series: products of all pairs of 1, t and y, each weighted."""
    one = [F(1)] + [F(0)] * degree
    terms = [one, t, *y]
    products = [times(p, q, degree) for n, p in enumerate(terms) for q in terms[n:]]
    return [
        [sum((w * p[d] for w, p in zip(row, products, strict=True)), F(0)) for d in range(degree + 1)]
        for row in weights
    ]


def solution(start, weights, degree):
    """Return the Taylor series of y(h) with y(0) given, each iteration of Picard's adding a degree."""
    t = [F(0), F(1), *[F(0)] * (degree - 1)]
    y = [[x, *[F(0)] * degree] for x in start]
    for _ in range(degree):
        slope = field(t, y, weights, degree)
        y = [[x, *(k[d] / (d + 1) for d in range(degree))] for x, k in zip(start, slope, strict=True)]
    return y


def step(method, b, start, weights, degree):
    """Return what one step of a method from 0 to h gives, as a power series of h."""
    slopes = []
    for row, c in zip(method.a, method.c, strict=True):
        y = [
            [x, *(sum((a * k[n][d] for a, k in zip(row, slopes, strict=True)), F(0)) for d in range(degree))]
            for n, x in enumerate(start)
        ]
        slopes.append(field([F(0), c, *[F(0)] * (degree - 1)], y, weights, degree))
    return [
        [x, *(sum((w * k[n][d] for w, k in zip(b, slopes, strict=True)), F(0)) for d in range(degree))]
        for n, x in enumerate(start)
    ]


def local_error(method, b, order, seed=1):
    """Return the largest coefficient, up to h^order, in which a step and the solution of a random problem differ."""
    chance = random.Random(seed)
    drawn = [[F(chance.randint(-9, 9), 7) for _ in range(15)] for _ in range(3)]
    start = [F(chance.randint(1, 9), 5) for _ in range(3)]
    pairs = zip(solution(start, drawn, order), step(method, b, start, drawn, order), strict=True)
    return max(abs(float(x - y)) for one, other in pairs for x, y in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "method", [method for method in KNOWN if method.order <= 5], ids=lambda method: method.name
)
def test_power_series_tell_the_order_of_methods_that_are_known(method):
    assert local_error(method, method.b, method.order) < 1e-9
    assert local_error(method, method.b, method.order + 1) > 1e-9


def _entry(x, draw):
    """Return a number mistyped: a sign, a digit lost or doubled, numerator and denominator exchanged."""
    text = str(x)
    place = draw(st.integers(0, len(text) - 1))
    return draw(
        st.sampled_from([
            f"-{text}".replace("--", ""), text[:place] + text[place + 1 :] or "0", text[: place + 1] + text[place:],
            "/".join(reversed(text.split("/"))), f"{float(x):.6g}", f"{float(x):.17g}", "0",
        ])
    )  # fmt: skip


@st.composite
def mistyped(draw):
    """A known method, and its rows with an entry mistyped, two exchanged, or a row moved."""
    method = draw(st.sampled_from(KNOWN))
    rows = {"c": [list(method.c)], "a": [list(row) for row in method.a], "b": [list(method.b)]}
    if method.b_embedded is not None:
        rows["b_embedded"] = [list(method.b_embedded)]
    name = draw(st.sampled_from(sorted(rows)))
    row = draw(st.sampled_from([row for row in rows[name] if row] or [rows["b"][0]]))
    i, j = (draw(st.integers(0, len(row) - 1)) for _ in range(2))
    match draw(st.sampled_from(["entry", "exchange", "rotate", "copy"])):
        case "entry":
            row[i] = _entry(row[i], draw)
        case "exchange":
            row[i], row[j] = row[j], row[i]
        case "rotate":
            row[:] = row[1:] + row[:1]
        case "copy":
            row[i] = row[j]
    return method, {name: block if name == "a" else block[0] for name, block in rows.items()}


@quick
@given(mistyped())
def test_a_mistyped_tableau_is_refused_or_has_the_order_that_it_claims(case):
    method, rows = case
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            accepted = ButcherTableau(
                name="x", order=method.order, embedded_order=method.embedded_order, **rows
            )
    except TableauError:
        return
    assert local_error(accepted, accepted.b, accepted.order) < 1e-8
    if accepted.b_embedded is not None:
        assert local_error(accepted, accepted.b_embedded, accepted.embedded_order) < 1e-8


ENDLESS = [
    "1/0", "0/0", "1e999999999", "-1e-999999999", "1E+1000000000000", "9" * 10_000, "0." + "1" * 10_000, "1/" + "3" * 4000,
    10**5000, -(10**100_000), F(1, 10**5000), "nan", "inf", "١/٠", "1" * 10**7,
]  # fmt: skip


@pytest.mark.parametrize(
    "number",
    ENDLESS,
    ids=lambda number: f"{type(number).__name__}{str(number)[:12] if isinstance(number, str) else ''}",
)
def test_a_number_that_would_fill_the_memory_is_refused_at_once(number):
    began = time.process_time()
    with pytest.raises(TableauError, match=r"is not a number|has more than 1000 digits") as caught:
        ButcherTableau(name="x", order=1, c=(0,), a=((),), b=(number,))
    assert time.process_time() - began < 1
    assert len(str(caught.value)) < 300


def test_coefficients_that_no_proof_could_end_with_are_refused():
    c = [F(0), *(F(1, 10**900 + n) for n in range(9))]
    with pytest.raises(TableauError, match="common denominator of more than 5000 digits"):
        ButcherTableau(name="x", order=1, c=c, a=[[0] * i for i in range(10)], b=[1, *[0] * 9])


def test_digits_of_any_script_are_the_numbers_they_are():
    assert ButcherTableau(name="x", order=1, c=(0,), a=((),), b=("٩/９",)).b == (1,)


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "x\x1b[31m", "\u202ex", "x\ud800", "a\u2028b", 3, None])
def test_a_name_that_no_terminal_can_show_is_refused(name):
    with pytest.raises(TableauError, match="needs a name without blanks"):
        ButcherTableau(name=name, order=1, c=(0,), a=((),), b=(1,))
