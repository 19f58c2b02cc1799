"""What a tableau is: exact, immutable, comparable, and more than its author claimed where that is true."""

import dataclasses
import pickle
from decimal import Decimal
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rkbench_solvers
from rkbench.tableau import ButcherTableau, Citation, TableauWarning

METHODS = {method.name: method for method in rkbench_solvers.METHODS}


def heun(**changes: Any) -> ButcherTableau:
    return ButcherTableau(
        **{"name": "heun", "order": 2, "c": (0, 1), "a": ((), (1,)), "b": ("1/2", "1/2"), **changes}
    )


HALVES = {
    "fractions": (F(1, 2), F(1, 2)),
    "ratios": ("1/2", "1/2"),
    "decimals": ("0.5", "5e-1"),
    "a pasted row": "1/2 0.5",
    "a pasted column": "1/2\n   1/2",
    "floats": (0.5, 0.5),
    "Decimals": (Decimal("0.5"), Decimal("0.5")),
    "a numpy row": np.array([0.5, 0.5]),
}


@pytest.mark.parametrize("form", HALVES)
def test_a_row_may_be_written_in_many_ways_and_is_kept_exactly(form):
    assert heun(b=HALVES[form]) == heun()
    assert all(type(x) is F for x in heun(b=HALVES[form]).b)


def test_a_float_is_taken_as_exactly_the_float_it_is():
    kutta3 = ButcherTableau(
        name="x", order=3, c=(0, 0.5, 1), a=((), (0.5,), (-1, 2)), b=(1 / 6, 2 / 3, 1 / 6)
    )
    assert kutta3.b[0] == F(1 / 6) != F(1, 6)
    assert kutta3.order == 3
    assert not kutta3.proofs["b"].exact
    assert 0 < kutta3.proofs["b"].residual < kutta3.tolerance


def test_zeros_to_the_right_of_the_staircase_may_be_written_out():
    assert heun(a=((0, 0), (1, 0))) == heun()


def test_a_claim_below_the_truth_is_corrected_and_said():
    with pytest.warns(
        TableauWarning, match="order is claimed to be 1, but b has order 2, which is used"
    ) as caught:
        method = heun(order=1)
    assert method.order == 2
    assert Path(caught[0].filename) == Path(__file__)


def test_an_embedded_claim_below_the_truth_is_corrected_and_said():
    weights = METHODS["bosh3"]
    with pytest.warns(TableauWarning, match="embedded_order is claimed to be 1, but b_embedded has order 2"):
        method = dataclasses.replace(weights, embedded_order=1)
    assert method.embedded_order == 2


def test_an_embedded_order_need_not_be_claimed():
    assert dataclasses.replace(METHODS["dopri5"], embedded_order=None).embedded_order == 4


def test_a_tableau_cannot_be_changed():
    method: Any = heun()
    with pytest.raises(dataclasses.FrozenInstanceError):
        method.order = 3
    with pytest.raises(TypeError):
        method.b[0] = 1
    with pytest.raises(TypeError):
        method.a[1][0] = 1
    method.proofs.clear()
    assert method.proofs


def test_what_it_was_made_from_may_change_without_it():
    b = [F(1, 2), F(1, 2)]
    method = heun(b=b)
    b[0] = F(9)
    assert method.b == (F(1, 2), F(1, 2))


def test_equal_tableaux_are_equal_and_hash_alike():
    assert heun() == heun()
    assert hash(heun()) == hash(heun())
    assert len({heun(), heun(), METHODS["rk4"]}) == 2
    assert heun() != heun(source=Citation("Heun", 1900))


def test_the_digest_tells_coefficients_apart_and_nothing_else():
    digests = {method.digest for method in METHODS.values()}
    assert len(digests) == len(METHODS)
    assert heun().digest == heun(name="other", source=Citation("Heun", 1900)).digest
    assert heun().digest != heun(c=(0, F(2, 3)), a=((), (F(2, 3),)), b=(F(1, 4), F(3, 4))).digest
    # Runs on disk are found again by it, so it must not change.
    assert heun().digest == "59f64bb11bf1e1a8"


def test_a_tableau_survives_being_pickled():
    method = METHODS["dopri5"]
    again = pickle.loads(pickle.dumps(method))
    assert (again, again.digest, again.fsal) == (method, method.digest, True)


def test_renaming_changes_the_name_alone():
    renamed = dataclasses.replace(METHODS["tsit5"], name="mine")
    assert renamed.name == "mine"
    assert renamed.digest == METHODS["tsit5"].digest


def test_error_weights_are_differenced_exactly():
    """In floats the difference of Dormand and Prince's fifth weights keeps only fifteen digits."""
    assert METHODS["dopri5"].error_weights == (
        F(71, 57600), 0, F(-71, 16695), F(71, 1920), F(-17253, 339200), F(22, 525), F(-1, 40),
    )  # fmt: skip
    assert METHODS["rk4"].error_weights is None


FSAL = {"bosh3", "owren_zennaro3", "owren_zennaro4", "dopri5", "dopri5_shampine", "tsit5", "bs5", "vern6"}


def test_fsal_is_found_and_not_asked_for():
    assert {method.name for method in METHODS.values() if method.fsal} == FSAL


def test_a_last_node_of_one_alone_does_not_make_a_method_fsal():
    assert METHODS["rk4"].c[-1] == 1
    assert not METHODS["rk4"].fsal
    assert not METHODS["euler"].fsal


@pytest.mark.parametrize(
    ("name", "k"), [("heun2", 2), ("bosh3", 3), ("dopri5", 5), ("vern9", 9), ("dop853", 8)]
)
def test_the_error_exponent_is_the_lower_order_plus_one(name, k):
    assert METHODS[name].error_exponent == k


def test_without_an_embedded_solution_there_is_no_error_exponent():
    assert METHODS["rk4"].error_exponent is None
    assert not METHODS["rk4"].adaptive


def test_a_citation_prints_as_one_line():
    assert str(Citation("Heun", 1900)) == "Heun (1900)"
    assert str(Citation("Heun", 1900, "Neue Methode", doi="10/x")) == "Heun (1900), Neue Methode, doi:10/x"
