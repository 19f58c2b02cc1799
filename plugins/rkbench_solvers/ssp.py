"""Strong-stability-preserving methods: convex combinations of Euler steps, with long real stability intervals."""

from rkbench import ButcherTableau, Citation

# fmt: off
SSPRK_33 = ButcherTableau(
    name="ssprk33", order=3, embedded_order=2,
    c="0    1    1/2",
    a=("",
       "1",
       "1/4  1/4"),
    b="1/6  1/6  2/3",
    b_embedded="1/2  1/2  0",
    source=Citation(
        "Shu & Osher", 1988, "Efficient implementation of essentially non-oscillatory shock-capturing schemes",
        doi="10.1016/0021-9991(88)90177-5",
    ),
)

SSPRK_43 = ButcherTableau(
    name="ssprk43", order=3, embedded_order=2,
    c="0    1/2  1    1/2",
    a=("",
       "1/2",
       "1/2  1/2",
       "1/6  1/6  1/6"),
    b="1/6  1/6  1/6  1/2",
    b_embedded="1/4  1/4  1/4  1/4",
    source=Citation("Kraaijevanger", 1991, "Contractivity of Runge-Kutta methods", doi="10.1007/BF01933264"),
)

SSPRK_104 = ButcherTableau(
    name="ssprk104", order=4, embedded_order=3,
    c="0     1/6   1/3   1/2   2/3   1/3   1/2   2/3   5/6   1",
    a=("",
       "1/6",
       "1/6   1/6",
       "1/6   1/6   1/6",
       "1/6   1/6   1/6   1/6",
       "1/15  1/15  1/15  1/15  1/15",
       "1/15  1/15  1/15  1/15  1/15  1/6",
       "1/15  1/15  1/15  1/15  1/15  1/6   1/6",
       "1/15  1/15  1/15  1/15  1/15  1/6   1/6   1/6",
       "1/15  1/15  1/15  1/15  1/15  1/6   1/6   1/6   1/6"),
    b="1/10  1/10  1/10  1/10  1/10  1/10  1/10  1/10  1/10  1/10",
    b_embedded="0     2/9   0     0     5/18  1/3   0     0     0     1/6",
    source=Citation(
        "Ketcheson", 2008, "Highly efficient strong stability-preserving Runge-Kutta methods with low-storage"
        " implementations", doi="10.1137/07070485X",
    ),
)
# fmt: on
