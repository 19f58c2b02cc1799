"""Ralston's methods: the smallest error bounds among two, three and four stages.

The node of the second-order method is 2/3; the 3/4 found in several places is a misprint. The
fourth-order method is irrational (it holds √5) and is given to 36 digits.
"""

from rkbench import ButcherTableau, Citation

RALSTON_1962 = Citation(
    "Ralston", 1962, "Runge-Kutta methods with minimum error bounds", doi="10.1090/S0025-5718-1962-0150954-0"
)

# fmt: off
RALSTON_2 = ButcherTableau(
    name="ralston2", order=2, embedded_order=1,
    c="0    2/3",
    a=("",
       "2/3"),
    b="1/4  3/4",
    b_embedded="1    0",
    source=RALSTON_1962,
)

RALSTON_3 = ButcherTableau(
    name="ralston3", order=3,
    c="0    1/2  3/4",
    a=("",
       "1/2",
       "0    3/4"),
    b="2/9  1/3  4/9",
    source=RALSTON_1962,
)

RALSTON_4 = ButcherTableau(
    name="ralston4", order=4,
    c="0  0.4  0.455737254218789431923279937112885706  1",
    a=("",
       "0.4",
       "0.296977609247753600070605467722912563  0.158759644971035831852674469389973143",
       """0.218100388225920467596160540119750403  -3.05096514869293080535358267827408598
          3.83286476046701033775742213815433557"""),
    b="""0.174760282262690371254867642411451782  -0.551480662878732940545761146481524617
       1.20553559939652353502777720061417938  0.171184781219519034263116303455893456""",
    source=RALSTON_1962,
)
# fmt: on
