"""What a run's numbers can bear: small pure functions of numbers, the same numbers giving the same answer.

A median of single cells has an interval between two of its values (`medians`); a comparison pairs the cells of a seed,
and its estimate, interval and p-value belong to one test, Wilcoxon's (`pairs`, `permutation`, `holm`). What is averaged
over tasks has a bootstrap interval (`bootstrap`, `iqm`, `improvement`).

What an interval that is said to be of 95 % is worth, counted in 100 000 samples of normal, heavy-tailed (Student's t
with 3 degrees of freedom) and skewed (exponential) numbers, to about 0.2 percentage points:

====== =================== ============================ ======================
values median of one group paired ratio or difference   percentile bootstrap
====== =================== ============================ ======================
3      75 %                75 %                         75 %
5      94 %                94 %                         94 %
6      97 %                97 %                         94 %
7      98 %                95 %                         88 %
10     98 %                95 %                         94 %
====== =================== ============================ ======================

No interval that is free of assumptions about the distribution does better with fewer than six values: the widest one
that the values give, from the smallest to the largest, misses the median of the distribution once in 2^(n - 1) times.
The percentile bootstrap of a median promises 95 % with seven values and keeps 88 %; it is not used for medians.
"""

from rkbench.report.statistics.equivalence import equivalence
from rkbench.report.statistics.estimate import LEVEL, NOTHING, Estimate
from rkbench.report.statistics.holm import ALPHA, corrected, least_pairs
from rkbench.report.statistics.improvement import probability_of_improvement
from rkbench.report.statistics.iqm import interquartile_mean
from rkbench.report.statistics.medians import coverage, median
from rkbench.report.statistics.order import Slope, observed_order, precision_slope
from rkbench.report.statistics.pairs import difference, ratio
from rkbench.report.statistics.pareto import pareto_front
from rkbench.report.statistics.permutation import sign_flip, wilcoxon
from rkbench.report.statistics.power import MOST_SEEDS, pairs_needed
from rkbench.report.statistics.profiles import performance_profile

__all__ = [
    "MOST_SEEDS",
    "ALPHA",
    "LEVEL",
    "NOTHING",
    "Estimate",
    "Slope",
    "corrected",
    "coverage",
    "difference",
    "equivalence",
    "interquartile_mean",
    "least_pairs",
    "median",
    "observed_order",
    "pairs_needed",
    "pareto_front",
    "performance_profile",
    "precision_slope",
    "probability_of_improvement",
    "ratio",
    "sign_flip",
    "wilcoxon",
]
