"""Random damage: a changed coefficient is refused or harmless, and nonsense is a TableauError, never a crash."""

import contextlib
import warnings
from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rkbench_solvers
from rkbench.errors import TableauError
from rkbench.order import Weights, prove
from rkbench.tableau import ButcherTableau, TableauWarning

KNOWN = [method for method in rkbench_solvers.METHODS if method.stages <= 7]

# The same cases on every machine and day, until hypothesis itself changes.
quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@st.composite
def damaged(draw):
    """A known method, and its coefficients with one of them moved by some 1e-6 to 1."""
    method = draw(st.sampled_from(KNOWN))
    rows = {"c": [list(method.c)], "a": [list(row) for row in method.a], "b": [list(method.b)]}
    if method.b_embedded is not None:
        rows["b_embedded"] = [list(method.b_embedded)]
    places = [
        (field, i, j) for field, block in rows.items() for i, row in enumerate(block) for j in range(len(row))
    ]
    field, i, j = draw(st.sampled_from(places))
    step = draw(st.integers(1, 9)) * draw(st.sampled_from([F(1, 10**6), F(1, 1000), F(1, 10)]))
    rows[field][i][j] += draw(st.sampled_from([-1, 1])) * step
    return method, rows


@quick
@given(damaged())
def test_a_moved_coefficient_is_refused_or_truly_harmless(case):
    method, rows = case
    given_rows = {field: block if field == "a" else block[0] for field, block in rows.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            accepted = ButcherTableau(
                name="x", order=method.order, embedded_order=method.embedded_order, **given_rows
            )
    except (TableauError, TableauWarning):
        return
    # What was let through has the order it claims even by the stricter, two-coloured conditions.
    for weights, order in ((accepted.b, method.order), (accepted.b_embedded, method.embedded_order)):
        if weights is not None:
            proof = prove(Weights(accepted.a, accepted.c, coloured=True), weights, accepted.tolerance)
            assert proof.order == order


@pytest.mark.parametrize(
    "method", [method for method in KNOWN if method.order > 1], ids=lambda method: method.name
)
def test_a_node_moved_by_a_millionth_is_refused_wherever_it_has_weight(method):
    """Σ b c = 1/2 would be off; the conditions for autonomous problems see none of it."""
    for i, weight in enumerate(method.b):
        c = list(method.c)
        c[i] += F(1, 10**6) if c[i] < 1 else -F(1, 10**6)
        if weight:
            with pytest.raises(TableauError, match=rf"but b has order 1: .*, and row a\[{i + 1}\] sums to"):
                ButcherTableau(name="x", order=method.order, c=c, a=method.a, b=method.b)


@quick
@given(st.text(max_size=30), st.sampled_from(["c", "b", "b_embedded"]))
def test_a_random_string_gives_a_tableau_or_a_tableau_error(text, field):
    row: Any = {"c": "0 1", "b": "1/2 1/2", "b_embedded": "1 0"} | {field: text}
    with contextlib.suppress(TableauError, TableauWarning):
        ButcherTableau(name="x", order=1, a=("", "1"), **row)


@quick
@given(
    st.lists(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.complex_numbers()))
)
def test_random_values_give_a_tableau_or_a_tableau_error(values):
    with contextlib.suppress(TableauError, TableauWarning):
        ButcherTableau(name="x", order=1, c=(0,), a=((),), b=values)


@quick
@given(st.text("0123456789./e-+_ ", min_size=1, max_size=12))
def test_what_looks_like_a_number_gives_a_tableau_or_a_tableau_error(text):
    with contextlib.suppress(TableauError, TableauWarning):
        ButcherTableau(name="x", order=1, c=(0,), a=((),), b=(text,))
