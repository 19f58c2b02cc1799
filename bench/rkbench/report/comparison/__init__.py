"""Two runs or more beside each other: what changed, whether it is more than noise, and what they say together."""

from rkbench.report.comparison.printed import show_compare
from rkbench.report.comparison.told import as_json, compare

__all__ = ["as_json", "compare", "show_compare"]
