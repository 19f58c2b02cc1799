"""Bogacki and Shampine's pairs 3(2), for loose tolerances, and 5(4), the most accurate of order 5 here."""

from rkbench import ButcherTableau, Citation

# fmt: off
BOGACKI_SHAMPINE_32 = ButcherTableau(
    name="bosh3", order=3, embedded_order=2,
    c="0     1/2  3/4  1",
    a=("",
       "1/2",
       "0     3/4",
       "2/9   1/3  4/9"),
    b="2/9   1/3  4/9  0",
    b_embedded="7/24  1/4  1/3  1/8",
    # Cubic Hermite through both ends, free because the method is FSAL.
    interpolation=("1  -4/3   5/9",
                   "0   1    -2/3",
                   "0   4/3  -8/9",
                   "0  -1     1"),
    source=Citation(
        "Bogacki & Shampine", 1989, "A 3(2) pair of Runge-Kutta formulas", doi="10.1016/0893-9659(89)90079-7"
    ),
)

BOGACKI_SHAMPINE_54 = ButcherTableau(
    name="bs5", order=5, embedded_order=4,
    c="0  1/6  2/9  3/7  2/3  3/4  1  1",
    a=("",
       "1/6",
       "2/27  4/27",
       "183/1372  -162/343  1053/1372",
       "68/297  -4/11  42/143  1960/3861",
       "597/22528  81/352  63099/585728  58653/366080  4617/20480",
       "174197/959244  -30942/79937  8152137/19744439  666106/1039181  -29421/29068  482048/414219",
       "587/8064  0  4440339/15491840  24353/124800  387/44800  2152/5985  7267/94080"),
    b="587/8064  0  4440339/15491840  24353/124800  387/44800  2152/5985  7267/94080  0",
    b_embedded="2479/34992  0  123/416  612941/3411720  43/1440  2272/6561  79937/1113912  3293/556956",
    source=Citation(
        "Bogacki & Shampine", 1996, "An efficient Runge-Kutta (4,5) pair", doi="10.1016/0898-1221(96)00141-1"
    ),
)
# fmt: on
