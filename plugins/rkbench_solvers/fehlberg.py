"""Fehlberg's 4(5) pair, advanced here with its fifth-order weights (local extrapolation)."""

from rkbench import ButcherTableau, Citation

# fmt: off
FEHLBERG_45 = ButcherTableau(
    name="fehlberg45", order=5, embedded_order=4,
    c="0          1/4         3/8         12/13        1       1/2",
    a=("",
       "1/4",
       "3/32       9/32",
       "1932/2197  -7200/2197  7296/2197",
       "439/216    -8          3680/513    -845/4104",
       "-8/27      2           -3544/2565  1859/4104    -11/40"),
    b="16/135     0           6656/12825  28561/56430  -9/50   2/55",
    b_embedded="25/216     0           1408/2565   2197/4104    -1/5    0",
    source=Citation(
        "Fehlberg", 1969, "Low-order classical Runge-Kutta formulas with stepsize control", doi="10.1007/BF02241732"
    ),
)
# fmt: on
