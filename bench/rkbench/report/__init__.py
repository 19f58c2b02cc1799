"""Records to tables, statistics, figures and a page; needs a run folder only, neither torch nor a solver.

``load`` gives the DataFrames, ``show`` prints them, ``write`` puts everything into ``report/`` of the run.
"""

from rkbench.report.comparison import compare, show_compare
from rkbench.report.results import Results, load
from rkbench.report.terminal import show
from rkbench.report.write import write

__all__ = ["Results", "compare", "load", "show", "show_compare", "write"]
