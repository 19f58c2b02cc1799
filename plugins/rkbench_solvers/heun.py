"""Heun's methods of order 2 (with Euler embedded; also known as SSPRK(2,2)) and order 3."""

from rkbench import ButcherTableau, Citation

HEUN_1900 = Citation("Heun", 1900, "Neue Methode zur approximativen Integration der Differentialgleichungen")

# fmt: off
HEUN_2 = ButcherTableau(
    name="heun2", order=2, embedded_order=1,
    c="0    1",
    a=("",
       "1"),
    b="1/2  1/2",
    b_embedded="1    0",
    source=HEUN_1900,
)

HEUN_3 = ButcherTableau(
    name="heun3", order=3,
    c="0    1/3  2/3",
    a=("",
       "1/3",
       "0    2/3"),
    b="1/4  0    3/4",
    source=HEUN_1900,
)
# fmt: on
