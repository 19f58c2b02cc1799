"""A third-order method with equally spaced nodes. Put your own tableau in its place.

Coefficients are exact: a row is a string of fractions or decimals, as printed. The nodes 0, 2/5, 4/5 pick one
member of the two-parameter family of three-stage methods of order 3. The embedded solution of order 2 is
chosen so that the error estimate is a second difference of the slopes, -h (k1 - 2 k2 + k3) / 12.

Order, FSAL, error weights and stability are derived and proved by rkbench; a claim that does not hold is
refused.
"""

from rkbench import ButcherTableau, Citation

# fmt: off
METHOD = ButcherTableau(
    name="example", order=3, embedded_order=2,
    c="0    2/5   4/5",
    a=("",
       "2/5",
       "-1/5 1"),
    b="1/6  5/12  5/12",
    b_embedded="1/4  1/4   1/2",
    source=Citation(
        "Ralston", 1962, "Runge-Kutta methods with minimum error bounds (the family of order 3)",
        doi="10.1090/S0025-5718-1962-0150954-0",
    ),
)
# fmt: on
