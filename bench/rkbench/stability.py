"""Linear stability, from exact polynomials: the stability polynomial and the intervals it is bounded on.

On y' = λy a step of size h multiplies y by R(z), z = hλ, with

    R(z) = 1 + z b (I - zA)^-1 1 = 1 + sum over k of (b A^(k-1) 1) z^k

(Hairer & Wanner II, section IV.2). Errors are damped where |R(z)| <= 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rkbench.tableau import ButcherTableau

Polynomial = tuple[Fraction, ...]
"""Coefficients of 1, z, z², …"""

CANCELLED = 1e-12
"""A sum this small beside its terms is what rounded coefficients leave where exact ones cancel."""


@lru_cache(maxsize=256)
def stability_polynomial(tableau: ButcherTableau) -> Polynomial:
    """Return the coefficients of R, exact for the coefficients given.

    Up to the proved order they are 1/k!, and are set to that: rounded decimals would leave some 1e-40 there,
    whose sign would decide on stability near 0.
    """
    coefficients = [Fraction(1)]
    powers = [Fraction(1)] * tableau.stages
    for k in range(1, tableau.stages + 1):
        exact = k <= tableau.order
        coefficients.append(Fraction(1, math.factorial(k)) if exact else _dot(tableau.b, powers))
        powers = [_dot(row, powers) for row in tableau.a]
    while coefficients[-1] == 0:
        coefficients.pop()
    return tuple(coefficients)


@lru_cache(maxsize=256)
def real_interval(tableau: ButcherTableau) -> float:
    """Return the largest x such that |R(-t)| <= 1 for all t in [0, x]."""
    mirrored = [(-1) ** k * r for k, r in enumerate(stability_polynomial(tableau))]
    above = tuple(-r for r in mirrored[1:])  # (1 - R(-x)) / x
    below = (1 + mirrored[0], *mirrored[1:])  # 1 + R(-x)
    return min(_first_sign_change(above), _first_sign_change(below))


@lru_cache(maxsize=256)
def imaginary_interval(tableau: ButcherTableau) -> float:
    """Return the largest x such that |R(it)| <= 1 for all t in [0, x]; 0 when no such x is positive.

    1 - |R(iy)|² is a polynomial in w = y², and its first coefficient that is not 0 decides near 0.
    """
    squares = _squared_modulus(stability_polynomial(tableau))
    first = next(k for k, (total, size) in enumerate(squares) if k and abs(total) > CANCELLED * size)
    damped = tuple(-total for total, _ in squares[first:])
    return math.sqrt(_first_sign_change(damped)) if damped[0] > 0 else 0.0


def evaluations_per_step(tableau: ButcherTableau) -> int:
    """Return how many evaluations of f an accepted step takes: the stages, less one when FSAL."""
    return tableau.stages - tableau.fsal


def _dot(weights: Sequence, values: Sequence[Fraction]) -> Fraction:
    return sum((w * x for w, x in zip(weights, values, strict=False) if w), Fraction())


def _squared_modulus(polynomial: Polynomial) -> list[tuple[Fraction, Fraction]]:
    """Return |R(iy)|² as a polynomial in w = y²: each coefficient, and the sum of the sizes of its terms."""
    squares = []
    for power in range(len(polynomial)):
        pairs = [(k, 2 * power - k) for k in range(2 * power + 1) if max(k, 2 * power - k) < len(polynomial)]
        # R(iy) times its conjugate R(-iy): the factors i^k (-i)^(2p-k) are (-1)^(p+k).
        terms = [(-1) ** (power + k) * polynomial[k] * polynomial[j] for k, j in pairs]
        squares.append((sum(terms, Fraction()), sum(map(abs, terms), Fraction())))
    return squares


def _first_sign_change(polynomial: Polynomial) -> float:
    """Return the smallest positive root of odd multiplicity, infinity without one; isolated exactly.

    A root of even multiplicity only touches the bound, which stays kept.
    """
    from sympy import QQ, Poly, Symbol

    terms = [QQ(x.numerator, x.denominator) for x in reversed(polynomial)]
    whole: Any = Poly.from_list(terms, Symbol("x"), domain=QQ).clear_denoms(convert=True)[1]
    roots = []
    for factor, multiplicity in whole.sqf_list()[1]:
        if multiplicity % 2:
            isolated = [ends for ends, _ in factor.intervals(inf=0) if ends[1] > 0]
            roots += [factor.refine_root(*ends, eps=QQ(1, 10**15)) for ends in isolated[:1]]
    return min((float((low + high) / 2) for low, high in roots), default=math.inf)
