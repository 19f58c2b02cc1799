"""What asv measured over commits, judged and drawn: results of asv → series → steps beyond noise → page.

It reads the files that asv writes and needs no asv. asv's own detection of steps controls no rate of false alarms, and
its test never sees a difference between six samples and six; here a history in which nothing changed raises an alarm
in at most 5 of 100 cases, over all its series together (`scattering`, `steps`).
"""

from rkbench.history.history import History, load
from rkbench.history.printed import as_dict, show
from rkbench.history.writing import write

__all__ = ["History", "as_dict", "load", "show", "write"]
