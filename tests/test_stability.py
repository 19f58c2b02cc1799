"""Stability polynomials and intervals, against values computed elsewhere and against theory."""

import math
from fractions import Fraction as F

import numpy as np
import pytest

import rkbench_solvers
from rkbench.stability import evaluations_per_step, imaginary_interval, real_interval, stability_polynomial
from rkbench.tableau import ButcherTableau

METHODS = {method.name: method for method in rkbench_solvers.METHODS}

# real interval, imaginary interval, 2-norm of the principal error coefficients: by another program, with other
# root finding, from its own copies of the coefficients.
KNOWN = {
    "euler": (2, 0, 0.5),
    "midpoint": (2, 0, 0.1718),
    "heun2": (2, 0, 0.1863),
    "ralston2": (2, 0, 0.1667),
    "ralston3": (2.512745, 1.732051, 0.04181),
    "ralston4": (2.785294, 2.828427, 0.0137),
    "kutta3": (2.512745, 1.732051, 0.05893),
    "heun3": (2.512745, 1.732051, 0.0463),
    "ssprk33": (2.512745, 1.732051, 0.07217),
    "ssprk43": (5.149486, 2.15618, 0.03608),
    "ssprk104": (13.917047, 4.921453, 0.002211),
    "rk4": (2.785294, 2.828427, 0.0145),
    "rk38": (2.785294, 2.828427, 0.01267),
    "bosh3": (2.512745, 1.732051, 0.04181),
    "fehlberg45": (3.677707, 0, 0.003356),
    "cash_karp": (3.73436, 0, 0.0009483),
    "dopri5": (3.306568, 0.997189, 0.0003991),
    "dopri5_shampine": (3.306568, 0.997189, 0.0003991),
    "tsit5": (3.506847, 0.477979, 0.0001385),
    "owren_zennaro3": (2.512745, 1.732051, 0.04264),
    "owren_zennaro4": (2.873518, 0, 0.003162),
    "bs5": (3.987927, 1.664317, 2.217e-05),
    "vern6": (4.855274, 2.5842, 1.446e-06),
    "vern7": (4.640793, 0, 1.676e-05),
    "vern8": (5.864113, 0, 2.828e-07),
    "vern9": (4.476173, 2.756965, 3.491e-07),
    "dopri8": (5.166634, 0, 4.507e-06),
    "dop853": (6.393652, 5.96036, 6.263e-06),
}


def modulus(method, z):
    return abs(np.polyval([float(r) for r in reversed(stability_polynomial(method))], z))


def test_every_built_in_method_has_known_values():
    assert KNOWN.keys() == METHODS.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_the_real_interval_is_the_known_one(name):
    assert real_interval(METHODS[name]) == pytest.approx(KNOWN[name][0], abs=1e-6)


@pytest.mark.parametrize("name", KNOWN)
def test_the_imaginary_interval_is_the_known_one(name):
    assert imaginary_interval(METHODS[name]) == pytest.approx(KNOWN[name][1], abs=1e-6)


@pytest.mark.parametrize("name", KNOWN)
def test_the_principal_error_norm_is_the_known_one(name):
    assert METHODS[name].principal_error_norm == pytest.approx(KNOWN[name][2], rel=1e-3)


@pytest.mark.parametrize("name", KNOWN)
def test_the_polynomial_is_bounded_up_to_each_end_and_not_beyond(name):
    method = METHODS[name]
    for end, direction in ((real_interval(method), -1), (imaginary_interval(method), 1j)):
        assert modulus(method, direction * np.linspace(0, end, 200)).max() <= 1 + 1e-9
        beyond = modulus(method, direction * (end * 1.001 + 0.2 * (end == 0)))
        assert beyond > 1


@pytest.mark.parametrize("name", ["rk4", "vern9"])
def test_the_polynomial_agrees_with_the_exponential_up_to_the_order(name):
    method = METHODS[name]
    start = stability_polynomial(method)[: method.order + 1]
    assert start == tuple(F(1, math.factorial(k)) for k in range(method.order + 1))


def test_the_polynomial_of_dopri5_ends_as_in_the_book():
    assert stability_polynomial(METHODS["dopri5"])[6:] == (F(1, 600),)


@pytest.mark.parametrize(
    "third", [F(1, 3), 1 / 3, math.nextafter(1 / 3, 1)], ids=["exact", "float", "float above"]
)
def test_rounding_does_not_decide_on_imaginary_stability(third):
    """Jameson's four stages of order 2 have the polynomial of Kutta's method, if the third of them is a third.

    A float leaves some 1e-17 of either sign where the terms of |R(iy)|² cancel near 0.
    """
    method = ButcherTableau(
        name="jameson",
        order=2,
        c=(0, "1/4", third, "1/2"),
        a=((), ("1/4",), (0, third), (0, 0, "1/2")),
        b=(0, 0, 0, 1),
    )
    assert imaginary_interval(method) == pytest.approx(math.sqrt(8), abs=1e-12)


def test_a_touching_root_does_not_end_the_interval():
    """1 - R(-x) = x (x - 4)² / 16: R touches 1 at x = 4 and goes on to -1, where x (x - 4)² = 32.

    That is the longest real interval of three stages and order 2.
    """
    method = ButcherTableau(name="touching", order=2, c="0 1/8 1/2", a=("", "1/8", "0 1/2"), b="0 0 1")
    assert stability_polynomial(method) == (1, 1, F(1, 2), F(1, 16))
    end = max(np.roots([1, -8, 16, -32]), key=np.real).real
    assert real_interval(method) == pytest.approx(end, abs=1e-12)
    assert end > 6


def test_an_fsal_method_takes_one_evaluation_less_than_it_has_stages():
    assert evaluations_per_step(METHODS["dopri5"]) == 6
    assert evaluations_per_step(METHODS["rk4"]) == 4
