"""How long a user waits before anything happens."""

import subprocess
import sys

from .workload import Timed


class Starting(Timed):
    """A fresh interpreter each time."""

    number = 1

    def time_import(self):
        """`import rkbench`, which imports neither torch nor pandas."""
        _python("-c", "import rkbench")

    def time_help(self):
        """`rkbench --help`."""
        _python("-m", "rkbench.cli", "--help")

    def time_list_methods(self):
        """`rkbench list methods`, which loads every plugin."""
        _python("-m", "rkbench.cli", "list", "methods")


def _python(*arguments):
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
