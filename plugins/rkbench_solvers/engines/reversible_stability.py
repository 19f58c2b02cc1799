"""What a reversible scheme can bear: where its steps are stable, and how its way back magnifies round-off.

On y' = μy a step is a 2×2 matrix M(z), z = hμ, made of the very shears that a solve takes. Errors stay bounded where
both eigenvalues of M lie in the unit disc. Their product is known: λ for McCallum and Foster's scheme, whose second
eigenvalue is therefore about λ exp(-z), and leaves the disc as soon as a mode decays by more than λ in a step; -1
for reversible Heun, where every decaying mode has a growing companion.

The way back multiplies by the inverse of M, so that even where nothing moves (z = 0) a rounding error made at the
end grows like λ^-N.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

from rkbench_solvers.engines.reversible_shears import Increment, Scheme, Shear, increment_of

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}

RECONSTRUCTION = 1e-3
"""How far, relative to their size, the states found on the way back may be off the ones of the way there."""

BOUNDED = 1e-7
"""Growth per step that counts as none, a ten-thousandth in a thousand steps: the schemes that carry a nearly neutral
mode do not keep it exactly neutral."""

LONGEST = 100.0
FINER = 1.01


def real_limit(scheme: Scheme) -> float:
    """Return the largest x such that modes with -x <= hμ <= 0 stay bounded."""
    return _limit(scheme, -1.0)


def imaginary_limit(scheme: Scheme) -> float:
    """Return the largest x such that modes with hμ between 0 and ix stay bounded."""
    return _limit(scheme, 1j)


def growth(scheme: Scheme, z: complex) -> float:
    """Return the factor by which a step can make an error grow, in the long run: the spectral radius of M(z)."""
    return max(map(abs, _eigenvalues(scheme, z)))


def roundoff_growth(scheme: Scheme) -> float:
    """Return the factor by which a step back magnifies a rounding error of a state that hardly moves."""
    return 1 / min(map(abs, _eigenvalues(scheme, 0.0)))


def reconstruction_error(scheme: Scheme, steps: int, eps: float) -> float:
    """Return how far round-off alone puts the state off, ``steps`` steps back: errors of eps/2, each magnified.

    They are summed as if independent, (eps/2) (g² + g⁴ + … + g^2N)^(1/2) for a growth g per step.
    """
    g = roundoff_growth(scheme)
    if 2 * steps * math.log(g) > 600:
        return math.inf
    total = steps if g - 1 < 1e-12 else g**2 * (g ** (2 * steps) - 1) / (g**2 - 1)
    return eps / 2 * math.sqrt(total)


def most_steps(scheme: Scheme, eps: float) -> int:
    """Return how many steps can be walked back within `RECONSTRUCTION`, at most 10⁹."""
    low, high = 0, 10**9
    while low < high:
        middle = (low + high + 1) // 2
        good = reconstruction_error(scheme, middle, eps) <= RECONSTRUCTION
        low, high = (middle, high) if good else (low, middle - 1)
    return low


def _limit(scheme: Scheme, direction: complex) -> float:
    """Walk outwards in steps of one percent until a mode grows, and bisect that step."""
    inside, outside = 0.0, 1e-5
    while growth(scheme, direction * outside) <= 1 + BOUNDED:
        inside, outside = outside, outside * FINER
        if outside > LONGEST:
            return math.inf
    for _ in range(50):
        middle = (inside + outside) / 2
        stable = growth(scheme, direction * middle) <= 1 + BOUNDED
        inside, outside = (middle, outside) if stable else (inside, middle)
    return inside if inside > 1e-6 else 0.0


def _eigenvalues(scheme: Scheme, z: complex) -> tuple[complex, complex]:
    (a, b), (c, d) = _matrix(scheme.period(1.0), increment_of(scheme.base), z)
    half, root = (a + d) / 2, cmath.sqrt((a - d) ** 2 / 4 + b * c)
    return half + root, half - root


def _matrix(shears: Sequence[Shear], increment: Increment, z: complex) -> list[list[complex]]:
    """Return what steps of size 1 do to (y, z) when f(t, y) = zy."""
    rows: list[list[complex]] = [[1.0, 0.0], [0.0, 1.0]]
    for shear in shears:
        other = rows[1 - shear.target]
        weight = shear.take + shear.sign * _increment(increment, shear.h * z)
        rows[shear.target] = [
            shear.keep * x + weight * w for x, w in zip(rows[shear.target], other, strict=True)
        ]
    return rows


def _increment(increment: Increment, z: complex) -> complex:
    """Return R(z) - 1."""
    slopes: list[complex] = []
    for row in increment.a:
        slopes.append(z * (1 + sum(w * k for w, k in zip(row, slopes, strict=True))))
    return sum((w * k for w, k in zip(increment.b, slopes, strict=True)), 0.0)
