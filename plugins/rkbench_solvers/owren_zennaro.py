"""Owren and Zennaro's pairs, derived to carry optimal continuous extensions."""

from rkbench import ButcherTableau, Citation

OWREN_ZENNARO_1992 = Citation(
    "Owren & Zennaro",
    1992,
    "Derivation of efficient, continuous, explicit Runge-Kutta methods",
    doi="10.1137/0913084",
)

# fmt: off
OWREN_ZENNARO_32 = ButcherTableau(
    name="owren_zennaro3", order=3, embedded_order=2,
    c="0        12/23     4/5      1",
    a=("",
       "12/23",
       "-68/375  368/375",
       "31/144   529/1152  125/384"),
    b="31/144   529/1152  125/384  0",
    b_embedded="1/24     23/24     0        0",
    source=OWREN_ZENNARO_1992,
)

OWREN_ZENNARO_43 = ButcherTableau(
    name="owren_zennaro4", order=4, embedded_order=3,
    c="0              1/6         11/37          11/17           13/15       1",
    a=("",
       "1/6",
       "44/1369        363/1369",
       "3388/4913      -8349/4913  8140/4913",
       "-36764/408375  767/1125    -32708/136125  210392/408375",
       "1697/18876     0           50653/116160   299693/1626240  3375/11648"),
    b="1697/18876     0           50653/116160   299693/1626240  3375/11648  0",
    b_embedded="101/363        0           -1369/14520    11849/14520     0           0",
    source=OWREN_ZENNARO_1992,
)
# fmt: on
