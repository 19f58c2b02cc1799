"""Kutta's methods of 1901: the third-order rule, the classical fourth-order rule and the 3/8 rule.

Beware the name: torchdiffeq's ``rk4`` is the 3/8 rule, here ``rk38``.
"""

from rkbench import ButcherTableau, Citation

KUTTA_1901 = Citation(
    "Kutta", 1901, "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen"
)

# fmt: off
KUTTA_3 = ButcherTableau(
    name="kutta3", order=3,
    c="0    1/2  1",
    a=("",
       "1/2",
       "-1   2"),
    b="1/6  2/3  1/6",
    source=KUTTA_1901,
)

RK4 = ButcherTableau(
    name="rk4", order=4,
    c="0    1/2  1/2  1",
    a=("",
       "1/2",
       "0    1/2",
       "0    0    1"),
    b="1/6  1/3  1/3  1/6",
    source=KUTTA_1901,
)

RK38 = ButcherTableau(
    name="rk38", order=4,
    c="0     1/3  2/3  1",
    a=("",
       "1/3",
       "-1/3  1",
       "1     -1   1"),
    b="1/8   3/8  3/8  1/8",
    source=KUTTA_1901,
)
# fmt: on
