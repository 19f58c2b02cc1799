"""The built-in methods: which there are, how well they are proved, and numbers that can be checked by hand."""

import math
from fractions import Fraction as F

import pytest

import rkbench_solvers
from rkbench import registry

METHODS = {method.name: method for method in rkbench_solvers.METHODS}

# name: stages, order, embedded order, order of the dense output (0 without)
FACTS = {
    "euler": (1, 1, None, 0),
    "midpoint": (2, 2, None, 0),
    "heun2": (2, 2, 1, 0),
    "ralston2": (2, 2, 1, 0),
    "ralston3": (3, 3, None, 0),
    "ralston4": (4, 4, None, 0),
    "kutta3": (3, 3, None, 0),
    "heun3": (3, 3, None, 0),
    "ssprk33": (3, 3, 2, 0),
    "ssprk43": (4, 3, 2, 0),
    "ssprk104": (10, 4, 3, 0),
    "rk4": (4, 4, None, 0),
    "rk38": (4, 4, None, 0),
    "bosh3": (4, 3, 2, 3),
    "owren_zennaro3": (4, 3, 2, 0),
    "owren_zennaro4": (6, 4, 3, 0),
    "fehlberg45": (6, 5, 4, 0),
    "cash_karp": (6, 5, 4, 0),
    "dopri5": (7, 5, 4, 4),
    "dopri5_shampine": (7, 5, 4, 4),
    "tsit5": (7, 5, 4, 4),
    "bs5": (8, 5, 4, 0),
    "vern6": (9, 6, 5, 0),
    "vern7": (10, 7, 6, 0),
    "vern8": (13, 8, 7, 0),
    "vern9": (16, 9, 8, 0),
    "dopri8": (13, 8, 7, 0),
    "dop853": (12, 8, 5, 0),
}

ROUNDED = {"ralston4", "tsit5", "vern9", "dopri8", "dop853"}
"""Irrational, or published as decimals or as approximations."""


def test_the_built_in_methods_are_these():
    assert METHODS.keys() == FACTS.keys()


@pytest.mark.parametrize("name", FACTS)
def test_a_method_has_the_stages_and_orders_of_its_source(name):
    method = METHODS[name]
    dense = method.interpolation_order if method.interpolation else 0
    assert (method.stages, method.order, method.embedded_order, dense) == FACTS[name]


@pytest.mark.parametrize("name", FACTS)
def test_a_proof_is_exact_unless_the_coefficients_are_known_to_be_rounded(name):
    for proof in METHODS[name].proofs.values():
        assert proof.exact == (name not in ROUNDED)
        assert proof.residual < 1e-17


@pytest.mark.parametrize("name", FACTS)
def test_the_nodes_are_the_row_sums(name):
    assert METHODS[name].row_sum_defects == {}


@pytest.mark.parametrize("name", FACTS)
def test_every_method_has_a_source_with_a_title(name):
    source = METHODS[name].source
    assert source is not None
    assert source.title
    assert 1700 < source.year < 2030


def test_they_come_in_by_the_door_of_every_plugin():
    loaded = registry.default()
    assert {loaded.owner("method", name).distribution for name in FACTS} == {"rkbench"}
    assert all(loaded.method(name) == METHODS[name] for name in FACTS)


def test_dop853_estimates_with_two_embedded_solutions():
    assert METHODS["dop853"].embedded_low_order == 3


def test_shampines_pair_differs_from_dormand_and_princes_in_the_estimate_alone():
    """Its estimate is two thirds as large, so at equal tolerance it takes longer steps."""
    theirs, shampine = METHODS["dopri5"], METHODS["dopri5_shampine"]
    assert (theirs.a, theirs.b, theirs.c) == (shampine.a, shampine.b, shampine.c)
    assert shampine.error_weights == tuple(F(2, 3) * e for e in theirs.error_weights or ())


def test_ralstons_node_of_least_error_is_two_thirds():
    assert METHODS["ralston2"].c[1] == F(2, 3)


def test_ralstons_fourth_order_method_has_his_irrational_node():
    """c₃ = 7/8 - 3√5/16."""
    assert float(METHODS["ralston4"].c[2]) == pytest.approx(7 / 8 - 3 * math.sqrt(5) / 16, abs=1e-15)


def test_ralstons_method_of_order_3_is_the_main_one_of_bogacki_and_shampine():
    assert METHODS["ralston3"].b == METHODS["bosh3"].b[:3]


def test_cash_and_karps_stages_carry_lower_orders_on_the_way():
    """Euler's weights on one stage, order 2 on two, order 3 on four: their variable order."""
    method = METHODS["cash_karp"]
    weights = {1: (1,), 2: (F(-3, 2), F(5, 2)), 3: (F(19, 54), 0, F(-10, 27), F(55, 54))}
    for order, b in weights.items():
        for power in range(order):
            moment = sum(w * c**power for w, c in zip(b, method.c, strict=False))
            assert moment == F(1, power + 1)


def test_strong_stability_preserving_methods_are_convex_combinations_of_euler_steps():
    for name in ("ssprk33", "ssprk43", "ssprk104"):
        method = METHODS[name]
        assert all(x >= 0 for row in (*method.a, method.b) for x in row)


@pytest.mark.parametrize("name", [name for name, facts in FACTS.items() if facts[3]])
def test_dense_output_ends_on_the_step(name):
    method = METHODS[name]
    assert [sum(row) for row in method.interpolation or ()] == pytest.approx(list(method.b), abs=1e-15)


@pytest.mark.parametrize("name", ["bosh3", "dopri5", "dopri5_shampine", "tsit5"])
def test_dense_output_leaves_and_arrives_with_the_slopes_of_the_step(name):
    """b'(0) picks the first stage and b'(1) the last, so the curve is smooth from step to step."""
    method = METHODS[name]
    at_start = [float(row[0]) for row in method.interpolation or ()]
    at_end = [float(sum(n * x for n, x in enumerate(row, 1))) for row in method.interpolation or ()]
    assert at_start == pytest.approx([1, *[0] * (method.stages - 1)], abs=1e-12)
    assert at_end == pytest.approx([*[0] * (method.stages - 1), 1], abs=1e-12)
