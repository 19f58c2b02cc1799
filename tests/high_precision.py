"""Reference answers, derived apart from the package: extrapolation in 40 digits, and the equations written again.

``python tests/high_precision.py [PROBLEM …]`` prints y(t1) of a problem, from two integrations of different order
and tolerance, with how far they are apart.
"""

import sys

import mpmath
from mpmath import cos, mpf, sin, sqrt

from rkbench.problems import PROBLEMS


def integrate(f, y, t0, t1, *, columns, tolerance):
    """Return y(t1) by extrapolation of the modified midpoint rule, order 2 columns (Gragg 1965, Bulirsch & Stoer 1966).

    The error of each step, relative to the larger of the component and 1, is kept below ``tolerance``.
    """
    t, t1, y = mpf(t0), mpf(t1), [mpf(x) for x in y]
    h = (t1 - t) / 50
    while t != t1:
        h = min(h, t1 - t)
        y_new, error = _step(f, t, y, h, columns)
        if error <= tolerance:
            t, y = (t1 if h == t1 - t else t + h), y_new
        growth = float(tolerance / error) ** (1 / (2 * columns - 1)) if error else 4.0
        h *= mpf(min(4.0, max(0.2, 0.8 * growth)))
    return y


def _step(f, t, y, h, columns):
    """Return the state after one step, and the difference of the last two extrapolations."""
    row = []
    for j in range(columns):
        above, row = row, [_midpoint(f, t, y, h, 2 * (j + 1))]
        for k in range(j):
            weight = 1 / (mpf(j + 1) / (j - k)) ** 2
            row.append([a + (a - b) * weight / (1 - weight) for a, b in zip(row[k], above[k], strict=True)])
    distances = (abs(a - b) / max(1, abs(a)) for a, b in zip(row[-1], row[-2], strict=True))
    return row[-1], max(distances)


def _midpoint(f, t, y, h, substeps):
    step = h / substeps
    before, now = y, [a + step * b for a, b in zip(y, f(t, y), strict=True)]
    for n in range(1, substeps):
        slope = f(t + n * step, now)
        before, now = now, [a + 2 * step * b for a, b in zip(before, slope, strict=True)]
    return now


def chain(*rates):
    """Radioactive decay: each component decays at its rate into the next."""

    def f(t, y):
        flows = [rate * x for rate, x in zip(rates, y, strict=False)]
        return [-flows[0], *(a - b for a, b in zip(flows, flows[1:], strict=False)), flows[-1]]

    return f


def diffusion(t, y):
    """Second differences, zero at both ends."""
    return [a - 2 * b + c for a, b, c in zip([0, *y[:-1]], y, [*y[1:], 0], strict=True)]


def torus(t, y):
    r = sqrt(y[0] ** 2 + y[1] ** 2)
    return [-y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r]


def orbit(t, y):
    cube = sqrt(y[0] ** 2 + y[1] ** 2) ** 3
    return [y[2], y[3], -y[0] / cube, -y[1] / cube]


def planets(t, y):
    """Jupiter, Saturn, Uranus, Neptune and Pluto, seen from the sun: positions of each, then velocities of each."""
    masses = [
        mpf(m)
        for m in (
            0.000954786104043,
            0.000285583733151,
            0.0000437273164546,
            0.0000517759138449,
            0.00000277777777778,
        )
    ]
    gravity, sun = mpf(2.95912208286), mpf(1.00000597682)
    x = [y[3 * j : 3 * j + 3] for j in range(5)]
    inverse = [1 / sqrt(sum(c * c for c in p)) ** 3 for p in x]
    pulls = []
    for j in range(5):
        total = [-(sun + masses[j]) * c * inverse[j] for c in x[j]]
        for k in range(5):
            if k != j:
                apart = [b - a for a, b in zip(x[j], x[k], strict=True)]
                near = 1 / sqrt(sum(c * c for c in apart)) ** 3
                total = [
                    s + masses[k] * (d * near - c * inverse[k])
                    for s, d, c in zip(total, apart, x[k], strict=True)
                ]
        pulls += [gravity * s for s in total]
    return [*y[15:], *pulls]


def pleiades(t, y):
    """Seven stars of masses 1 … 7 in the plane: abscissas, ordinates, then their velocities."""
    x, z = y[:7], y[7:14]
    ax, az = [mpf(0)] * 7, [mpf(0)] * 7
    for i in range(7):
        for j in range(i):
            dx, dz = x[j] - x[i], z[j] - z[i]
            cube = sqrt(dx * dx + dz * dz) ** 3
            dx, dz = dx / cube, dz / cube
            ax[i], az[i] = ax[i] + (j + 1) * dx, az[i] + (j + 1) * dz
            ax[j], az[j] = ax[j] - (i + 1) * dx, az[j] - (i + 1) * dz
    return [*y[14:], *ax, *az]


def arenstorf(t, y):
    """A satellite in the plane of earth and moon, in the frame that turns with them."""
    moon, earth = mpf(0.012277471), mpf(1 - 0.012277471)
    d1 = sqrt((y[0] + moon) ** 2 + y[1] ** 2) ** 3
    d2 = sqrt((y[0] - earth) ** 2 + y[1] ** 2) ** 3
    return [
        y[2],
        y[3],
        y[0] + 2 * y[3] - earth * (y[0] + moon) / d1 - moon * (y[0] - earth) / d2,
        y[1] - 2 * y[2] - earth * y[1] / d1 - moon * y[1] / d2,
    ]


def van_der_pol(t, y):
    return [y[1], (1 - y[0] ** 2) * y[1] - y[0]]


def lorenz(t, y):
    return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - mpf(8 / 3) * y[2]]


EQUATIONS = {
    "detest_a1": lambda t, y: [-y[0]],
    "detest_a2": lambda t, y: [-(y[0] ** 3) / 2],
    "detest_a3": lambda t, y: [y[0] * cos(t)],
    "detest_a4": lambda t, y: [y[0] / 4 * (1 - y[0] / 20)],
    "detest_a5": lambda t, y: [(y[0] - t) / (y[0] + t)],
    "detest_b1": lambda t, y: [2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])],
    "detest_b2": lambda t, y: [-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]],
    "detest_b3": lambda t, y: [-y[0], y[0] - y[1] ** 2, y[1] ** 2],
    "detest_b4": torus,
    "detest_b5": lambda t, y: [y[1] * y[2], -y[0] * y[2], -mpf(0.51) * y[0] * y[1]],
    "detest_c1": chain(*[1] * 9),
    "detest_c2": chain(*range(1, 10)),
    "detest_c3": diffusion,
    "detest_c4": diffusion,
    "detest_c5": planets,
    **{f"detest_d{n}": orbit for n in range(1, 6)},
    "detest_e1": lambda t, y: [y[1], -(y[1] / (t + 1) + (1 - mpf(0.25) / (t + 1) ** 2) * y[0])],
    "detest_e2": van_der_pol,
    "detest_e3": lambda t, y: [y[1], y[0] ** 3 / 6 - y[0] + 2 * sin(mpf(2.78535) * t)],
    "detest_e4": lambda t, y: [y[1], mpf(0.032) - mpf(0.4) * y[1] ** 2],
    "detest_e5": lambda t, y: [y[1], sqrt(1 + y[1] ** 2) / (25 - t)],
    "pleiades": pleiades,
    "arenstorf": arenstorf,
    "brusselator": lambda t, y: [1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]],
    "van_der_pol": van_der_pol,
    "lorenz": lorenz,
}
"""The problems without a closed form at hand, written in mpmath from the sources once more."""


def answer(name, columns, tolerance):
    """Return y(t1) of a problem, from the float64 numbers that the catalogue starts from."""
    problem = PROBLEMS[name]
    return integrate(EQUATIONS[name], problem.y0, *problem.t_span, columns=columns, tolerance=tolerance)


if __name__ == "__main__":
    mpmath.mp.dps = 40
    for name in sys.argv[1:] or EQUATIONS:
        first, second = answer(name, 12, mpf(10) ** -27), answer(name, 14, mpf(10) ** -30)
        apart = max(abs(a - b) / max(1, abs(b)) for a, b in zip(first, second, strict=True))
        print(
            f"{name}: ({', '.join(repr(float(x)) for x in second)}),  # ± {mpmath.nstr(apart, 1)}", flush=True
        )
