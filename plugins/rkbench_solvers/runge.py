"""Runge's explicit midpoint rule."""

from rkbench import ButcherTableau, Citation

# fmt: off
MIDPOINT = ButcherTableau(
    name="midpoint", order=2,
    c="0    1/2",
    a=("",
       "1/2"),
    b="0    1",
    source=Citation(
        "Runge", 1895, "Ueber die numerische Auflösung von Differentialgleichungen", doi="10.1007/BF01446807"
    ),
)
# fmt: on
