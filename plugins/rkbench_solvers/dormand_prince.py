"""Dormand and Prince's 5(4) pair, and the same method with the error estimate that two libraries ship.

The name "dopri5" stands for two rules. The 1980 paper and scipy use the b̂ of ``dopri5``; torchdiffeq and
diffrax use Shampine's, here ``dopri5_shampine``, whose error estimate is exactly 2/3 of the other on every
stage. At equal tolerance the two take different steps.
"""

from dataclasses import replace

from rkbench import ButcherTableau, Citation

# The fourth-order dense output of Shampine (1986), C1 over the steps; shared by both pairs.
# fmt: off
INTERPOLATION = (
    "1  -8048581381/2820520608    8663915743/2820520608      -12715105075/11282082432",
    "0  0                         0                          0",
    "0  131558114200/32700410799  -68118460800/10900136933   87487479700/32700410799",
    "0  -1754552775/470086768     14199869525/1410260304     -10690763975/1880347072",
    "0  127303824393/49829197408  -318862633887/49829197408  701980252875/199316789632",
    "0  -282668133/205662961      2019193451/616988883       -1453857185/822651844",
    "0  40617522/29380423         -110615467/29380423        69997945/29380423",
)
# fmt: on

# fmt: off
DORMAND_PRINCE_54 = ButcherTableau(
    name="dopri5", order=5, embedded_order=4,
    c="0           1/5          3/10        4/5       8/9            1         1",
    a=("",
       "1/5",
       "3/40        9/40",
       "44/45       -56/15       32/9",
       "19372/6561  -25360/2187  64448/6561  -212/729",
       "9017/3168   -355/33      46732/5247  49/176    -5103/18656",
       "35/384      0            500/1113    125/192   -2187/6784     11/84"),
    b="35/384      0            500/1113    125/192   -2187/6784     11/84     0",
    b_embedded="5179/57600  0            7571/16695  393/640   -92097/339200  187/2100  1/40",
    interpolation=INTERPOLATION,
    source=Citation(
        "Dormand & Prince", 1980, "A family of embedded Runge-Kutta formulae", doi="10.1016/0771-050X(80)90013-3"
    ),
)

SHAMPINE_54 = replace(
    DORMAND_PRINCE_54,
    name="dopri5_shampine",
    b_embedded="1951/21600  0  22642/50085  451/720  -12231/42400  649/6300  1/60",
    source=Citation(
        "Shampine", 1986, "Some practical Runge-Kutta formulas", doi="10.1090/S0025-5718-1986-0815836-3"
    ),
)
# fmt: on
